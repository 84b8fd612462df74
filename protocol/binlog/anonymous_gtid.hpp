#pragma once

// ANONYMOUS_GTID_LOG_EVENT (34): begins a transaction that has no GTID (gtid_mode=OFF).

#include "protocol/binlog/gtid_event.hpp"

namespace sluice::binlog {

struct anonymous_gtid_event {
    transaction_facts facts;

    [[nodiscard]] static decode_result<anonymous_gtid_event> decode(byte_view body);
};

}  // namespace sluice::binlog

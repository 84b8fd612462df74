#pragma once

// XID_EVENT (16): commit of a transaction.

#include "protocol/binlog/error.hpp"

namespace sluice::binlog {

struct xid_event {
    std::uint64_t xid = 0;

    [[nodiscard]] static decode_result<xid_event> decode(byte_view body);
};

}  // namespace sluice::binlog

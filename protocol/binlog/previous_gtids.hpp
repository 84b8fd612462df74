#pragma once

// PREVIOUS_GTIDS_LOG_EVENT (35): the GTIDs of all files before this one.

#include "protocol/binlog/gtid_set.hpp"

namespace sluice::binlog {

struct previous_gtids_event {
    gtid_set gtids;

    [[nodiscard]] static decode_result<previous_gtids_event> decode(byte_view body);
};

}  // namespace sluice::binlog

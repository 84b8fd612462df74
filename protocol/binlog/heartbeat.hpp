#pragma once

// HEARTBEAT_LOG_EVENT (27) and its successor with 64-bit positions (41, MySQL 8.0.26+): made by the dump thread while
// nothing happens. They tell how far the stream has been sent, and are not part of the file.

#include "protocol/binlog/coordinates.hpp"

namespace sluice::binlog {

struct heartbeat_event {
    coordinates position;

    /// Either version. The older one has its position in the header.
    [[nodiscard]] static decode_result<heartbeat_event> decode(const event_header& header, byte_view body);
};

}  // namespace sluice::binlog

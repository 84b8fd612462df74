#pragma once

// INCIDENT_EVENT (26): the source knows that events are missing from its log. A reader must stop.

#include "protocol/binlog/error.hpp"

#include <string>

namespace sluice::binlog {

struct incident_event {
    std::uint16_t number = 0;  ///< 1: LOST_EVENTS
    std::string message;

    [[nodiscard]] static decode_result<incident_event> decode(byte_view body);
};

}  // namespace sluice::binlog

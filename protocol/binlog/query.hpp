#pragma once

// QUERY_EVENT (2): a statement: BEGIN, COMMIT of non-transactional engines, SAVEPOINT, XA commands, every DDL, and data
// changes under statement-based logging.

#include "protocol/binlog/event_header.hpp"

namespace sluice::binlog {

/// Views point into the event's bytes.
struct query_event {
    std::uint32_t thread_id = 0;
    std::uint32_t duration_s = 0;
    std::uint16_t error_code = 0;  ///< not 0: the statement failed half-way on the source with this error
    std::string_view schema;       ///< default schema, may be empty
    std::string_view statement;    ///< in the client's character set, unchecked
    byte_view status_variables;    ///< see query_variables

    [[nodiscard]] static decode_result<query_event> decode(byte_view body);
};

}  // namespace sluice::binlog

#pragma once

// ROWS_QUERY_LOG_EVENT (29, binlog_rows_query_log_events=ON) and MariaDB's ANNOTATE_ROWS_EVENT (160): the statement
// that caused the rows events that follow. For people only.

#include "protocol/binlog/event_header.hpp"

namespace sluice::binlog {

struct rows_query_event {
    std::string_view statement;  ///< points into the event's bytes

    [[nodiscard]] static decode_result<rows_query_event> decode(event_type type, byte_view body);
};

}  // namespace sluice::binlog

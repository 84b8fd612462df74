#include "protocol/binlog/rows_query.hpp"

#include "protocol/binlog/event_cursor.hpp"

namespace sluice::binlog {

decode_result<rows_query_event> rows_query_event::decode(event_type type, byte_view body) {
    event_cursor cursor(body);
    // MySQL puts a length of one byte in front, too small for long statements; MariaDB puts nothing.
    if (type == event_type::rows_query) cursor.skip(1);
    if (!cursor.ok()) return cursor.error("rows query event");
    return rows_query_event{protocol::as_text(cursor.rest())};
}

}  // namespace sluice::binlog

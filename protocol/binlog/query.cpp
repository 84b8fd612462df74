#include "protocol/binlog/query.hpp"

#include "protocol/binlog/event_cursor.hpp"

namespace sluice::binlog {

decode_result<query_event> query_event::decode(byte_view body) {
    event_cursor cursor(body);
    query_event event;
    event.thread_id = cursor.u32();
    event.duration_s = cursor.u32();
    const auto schema_size = cursor.u8();
    event.error_code = cursor.u16();
    const auto status_variables_size = cursor.u16();
    event.status_variables = cursor.bytes(status_variables_size);
    event.schema = cursor.text(schema_size);
    const auto terminator = cursor.u8();
    event.statement = protocol::as_text(cursor.rest());
    if (!cursor.ok()) return cursor.error("query event");
    if (terminator != 0) return decode_error{decode_errc::malformed, "query event: schema name does not end"};
    return event;
}

}  // namespace sluice::binlog

#include "protocol/binlog/heartbeat.hpp"

#include "protocol/binlog/event_cursor.hpp"

namespace sluice::binlog {

namespace {

/// Version 2 is a list of fields: type, size, value, closed by type 0.
decode_result<heartbeat_event> decode_fields(byte_view body) {
    constexpr std::uint64_t end_mark = 0;
    constexpr std::uint64_t file_name_field = 1;
    constexpr std::uint64_t position_field = 2;
    event_cursor cursor(body);
    heartbeat_event event;
    while (cursor.ok()) {
        const auto type = cursor.lenenc_int();
        if (!cursor.ok() || type == end_mark) break;
        const auto value = cursor.lenenc_bytes();
        if (type == file_name_field) event.position.file_name = protocol::as_text(value);
        if (type == position_field) {
            event_cursor number(value);
            event.position.position = number.lenenc_int();
            if (!number.ok()) cursor.fail();
        }
    }
    if (!cursor.ok()) return cursor.error("heartbeat event");
    return event;
}

}  // namespace

decode_result<heartbeat_event> heartbeat_event::decode(const event_header& header, byte_view body) {
    if (header.type == event_type::heartbeat_v2) return decode_fields(body);
    heartbeat_event event;
    event.position.file_name = protocol::as_text(body);
    event.position.position = header.end_position;
    if (event.position.file_name.empty()) return decode_error{decode_errc::truncated, "heartbeat event: no file name"};
    return event;
}

}  // namespace sluice::binlog

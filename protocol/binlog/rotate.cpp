#include "protocol/binlog/rotate.hpp"

#include "protocol/binlog/event_cursor.hpp"

namespace sluice::binlog {

decode_result<rotate_event> rotate_event::decode(byte_view body) {
    event_cursor cursor(body);
    rotate_event event;
    event.next.position = cursor.u64();
    event.next.file_name = protocol::as_text(cursor.rest());
    if (!cursor.ok()) return cursor.error("rotate event");
    if (event.next.file_name.empty()) return decode_error{decode_errc::malformed, "rotate event: no file name"};
    return event;
}

}  // namespace sluice::binlog

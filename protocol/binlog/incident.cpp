#include "protocol/binlog/incident.hpp"

#include "protocol/binlog/event_cursor.hpp"

namespace sluice::binlog {

decode_result<incident_event> incident_event::decode(byte_view body) {
    event_cursor cursor(body);
    incident_event event;
    event.number = cursor.u16();
    event.message = cursor.text(cursor.u8());
    if (!cursor.ok()) return cursor.error("incident event");
    return event;
}

}  // namespace sluice::binlog

#include "protocol/binlog/xid.hpp"

#include "protocol/binlog/event_cursor.hpp"

namespace sluice::binlog {

decode_result<xid_event> xid_event::decode(byte_view body) {
    event_cursor cursor(body);
    const xid_event event{cursor.u64()};
    if (!cursor.ok()) return cursor.error("xid event");
    return event;
}

}  // namespace sluice::binlog

#include "protocol/binlog/mariadb_gtid.hpp"

#include "protocol/binlog/event_cursor.hpp"

namespace sluice::binlog {

decode_result<mariadb_gtid_event> mariadb_gtid_event::decode(const event_header& header, byte_view body) {
    event_cursor cursor(body);
    mariadb_gtid_event event;
    event.id.sequence = cursor.u64();
    event.id.domain_id = cursor.u32();
    event.id.server_id = header.server_id;
    event.flags = cursor.u8();
    if (event.has_flag(mariadb_gtid_flag::has_group_commit_id)) event.group_commit_id = cursor.u64();
    if (!cursor.ok()) return cursor.error("MariaDB GTID event");
    return event;
}

}  // namespace sluice::binlog

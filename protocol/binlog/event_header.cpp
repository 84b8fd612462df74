#include "protocol/binlog/event_header.hpp"

#include "protocol/binlog/event_cursor.hpp"

#include <array>

namespace sluice::binlog {

namespace {

struct type_facts {
    event_type type;
    std::string_view name;
    bool may_carry_rows;
};

constexpr std::array known_types{
    type_facts{event_type::start_v3, "Start_v3", false},
    type_facts{event_type::query, "Query", false},
    type_facts{event_type::stop, "Stop", false},
    type_facts{event_type::rotate, "Rotate", false},
    type_facts{event_type::intvar, "Intvar", false},
    type_facts{event_type::load, "Load", true},
    type_facts{event_type::slave, "Slave", false},
    type_facts{event_type::create_file, "Create_file", true},
    type_facts{event_type::append_block, "Append_block", true},
    type_facts{event_type::exec_load, "Exec_load", true},
    type_facts{event_type::delete_file, "Delete_file", true},
    type_facts{event_type::new_load, "New_load", true},
    type_facts{event_type::rand, "RAND", false},
    type_facts{event_type::user_var, "User var", false},
    type_facts{event_type::format_description, "Format_desc", false},
    type_facts{event_type::xid, "Xid", false},
    type_facts{event_type::begin_load_query, "Begin_load_query", true},
    type_facts{event_type::execute_load_query, "Execute_load_query", true},
    type_facts{event_type::table_map, "Table_map", false},
    type_facts{event_type::write_rows_v0, "Write_rows_event_old", true},
    type_facts{event_type::update_rows_v0, "Update_rows_event_old", true},
    type_facts{event_type::delete_rows_v0, "Delete_rows_event_old", true},
    type_facts{event_type::write_rows_v1, "Write_rows_v1", true},
    type_facts{event_type::update_rows_v1, "Update_rows_v1", true},
    type_facts{event_type::delete_rows_v1, "Delete_rows_v1", true},
    type_facts{event_type::incident, "Incident", false},
    type_facts{event_type::heartbeat, "Heartbeat", false},
    type_facts{event_type::ignorable, "Ignorable", false},
    type_facts{event_type::rows_query, "Rows_query", false},
    type_facts{event_type::write_rows, "Write_rows", true},
    type_facts{event_type::update_rows, "Update_rows", true},
    type_facts{event_type::delete_rows, "Delete_rows", true},
    type_facts{event_type::gtid, "Gtid", false},
    type_facts{event_type::anonymous_gtid, "Anonymous_Gtid", false},
    type_facts{event_type::previous_gtids, "Previous_gtids", false},
    type_facts{event_type::transaction_context, "Transaction_context", false},
    type_facts{event_type::view_change, "View_change", false},
    type_facts{event_type::xa_prepare, "XA_prepare", false},
    type_facts{event_type::partial_update_rows, "Update_rows_partial", true},
    type_facts{event_type::transaction_payload, "Transaction_payload", true},
    type_facts{event_type::heartbeat_v2, "Heartbeat_v2", false},
    type_facts{event_type::gtid_tagged, "Gtid_tagged_log_event", false},
    type_facts{event_type::mariadb_annotate_rows, "Annotate_rows", false},
    type_facts{event_type::mariadb_binlog_checkpoint, "Binlog_checkpoint", false},
    type_facts{event_type::mariadb_gtid, "Gtid", false},
    type_facts{event_type::mariadb_gtid_list, "Gtid_list", false},
    type_facts{event_type::mariadb_start_encryption, "Start_encryption", false},
    // Counted as carrying rows: its statement cannot be read, and it may be a change of data.
    type_facts{event_type::mariadb_query_compressed, "Query_compressed", true},
    type_facts{event_type::mariadb_write_rows_compressed_v1, "Write_rows_compressed_v1", true},
    type_facts{event_type::mariadb_update_rows_compressed_v1, "Update_rows_compressed_v1", true},
    type_facts{event_type::mariadb_delete_rows_compressed_v1, "Delete_rows_compressed_v1", true},
    type_facts{event_type::mariadb_write_rows_compressed, "Write_rows_compressed", true},
    type_facts{event_type::mariadb_update_rows_compressed, "Update_rows_compressed", true},
    type_facts{event_type::mariadb_delete_rows_compressed, "Delete_rows_compressed", true},
};

const type_facts* find_facts(event_type type) noexcept {
    for (const auto& facts : known_types) {
        if (facts.type == type) return &facts;
    }
    return nullptr;
}

}  // namespace

std::string_view event_type_name(event_type type) noexcept {
    const auto* facts = find_facts(type);
    return facts == nullptr ? "Unknown" : facts->name;
}

bool is_known(event_type type) noexcept { return find_facts(type) != nullptr; }

bool may_carry_rows(event_type type) noexcept {
    const auto* facts = find_facts(type);
    return facts == nullptr || facts->may_carry_rows;
}

decode_result<event_header> event_header::decode(byte_view event) {
    event_cursor cursor(event);
    event_header header;
    header.timestamp_s = cursor.u32();
    header.type = static_cast<event_type>(cursor.u8());
    header.server_id = cursor.u32();
    header.event_size = cursor.u32();
    header.end_position = cursor.u32();
    header.flags = cursor.u16();
    if (!cursor.ok()) return cursor.error("event header");
    if (header.event_size < size) return decode_error{decode_errc::malformed, "event header: impossible event size"};
    return header;
}

}  // namespace sluice::binlog

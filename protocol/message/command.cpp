#include "protocol/message/command.hpp"

#include "protocol/message/column.hpp"
#include "protocol/message/command_body.hpp"

#include <array>

namespace sluice::protocol {

namespace {

struct command_entry {
    command value = command::sleep;
    std::string_view name;
    command_reply reply = command_reply::unknown;
};

constexpr command_entry known_commands[] = {
    {command::sleep, "COM_SLEEP", command_reply::unknown},
    {command::quit, "COM_QUIT", command_reply::none},
    {command::init_db, "COM_INIT_DB", command_reply::ok_or_err},
    {command::query, "COM_QUERY", command_reply::result},
    {command::field_list, "COM_FIELD_LIST", command_reply::field_list},
    {command::create_db, "COM_CREATE_DB", command_reply::ok_or_err},
    {command::drop_db, "COM_DROP_DB", command_reply::ok_or_err},
    {command::refresh, "COM_REFRESH", command_reply::ok_or_err},
    {command::shutdown, "COM_SHUTDOWN", command_reply::eof_or_err},
    {command::statistics, "COM_STATISTICS", command_reply::bare_text},
    {command::process_info, "COM_PROCESS_INFO", command_reply::result},
    {command::connect, "COM_CONNECT", command_reply::unknown},
    {command::process_kill, "COM_PROCESS_KILL", command_reply::ok_or_err},
    {command::debug, "COM_DEBUG", command_reply::eof_or_err},
    {command::ping, "COM_PING", command_reply::ok_or_err},
    {command::time, "COM_TIME", command_reply::unknown},
    {command::delayed_insert, "COM_DELAYED_INSERT", command_reply::unknown},
    {command::change_user, "COM_CHANGE_USER", command_reply::authentication},
    {command::binlog_dump, "COM_BINLOG_DUMP", command_reply::endless},
    {command::table_dump, "COM_TABLE_DUMP", command_reply::endless},
    {command::connect_out, "COM_CONNECT_OUT", command_reply::unknown},
    {command::register_slave, "COM_REGISTER_SLAVE", command_reply::ok_or_err},
    {command::stmt_prepare, "COM_STMT_PREPARE", command_reply::prepare},
    {command::stmt_execute, "COM_STMT_EXECUTE", command_reply::result},
    {command::stmt_send_long_data, "COM_STMT_SEND_LONG_DATA", command_reply::none},
    {command::stmt_close, "COM_STMT_CLOSE", command_reply::none},
    {command::stmt_reset, "COM_STMT_RESET", command_reply::ok_or_err},
    {command::set_option, "COM_SET_OPTION", command_reply::eof_or_err},
    {command::stmt_fetch, "COM_STMT_FETCH", command_reply::fetch},
    {command::daemon, "COM_DAEMON", command_reply::unknown},
    {command::binlog_dump_gtid, "COM_BINLOG_DUMP_GTID", command_reply::endless},
    {command::reset_connection, "COM_RESET_CONNECTION", command_reply::ok_or_err},
    {command::clone, "COM_CLONE", command_reply::endless},
    {command::subscribe_group_replication_stream, "COM_SUBSCRIBE_GROUP_REPLICATION_STREAM", command_reply::endless},
    {command::mariadb_stmt_bulk_execute, "COM_STMT_BULK_EXECUTE", command_reply::result},
    {command::mariadb_slave_worker, "COM_SLAVE_WORKER", command_reply::unknown},
    {command::mariadb_slave_io, "COM_SLAVE_IO", command_reply::unknown},
    {command::mariadb_slave_sql, "COM_SLAVE_SQL", command_reply::unknown},
    {command::mariadb_com_multi, "COM_MULTI", command_reply::unknown},
};

constexpr auto command_table = [] {
    std::array<command_entry, 256> table{};
    for (const auto& entry : known_commands) table[static_cast<std::size_t>(entry.value)] = entry;
    return table;
}();

const command_entry& entry_of(command value) noexcept { return command_table[static_cast<std::size_t>(value)]; }

wire_result<void> skip_parameter_value(reader& in, column_type type) {
    switch (type) {
        case column_type::null: return {};
        case column_type::tiny:
        case column_type::boolean: return in.skip(1);
        case column_type::short_integer:
        case column_type::year: return in.skip(2);
        case column_type::long_integer:
        case column_type::int24:
        case column_type::float_number: return in.skip(4);
        case column_type::long_long:
        case column_type::double_number: return in.skip(8);
        case column_type::date:
        case column_type::time:
        case column_type::datetime:
        case column_type::timestamp: {
            SLUICE_TRY(const auto size, in.u8());
            return in.skip(size);
        }
        default: break;
    }
    if (!is_length_encoded(type))
        return wire_error{wire_errc::malformed, "query attribute of a type that is never sent"};
    SLUICE_TRY_VOID(in.lenenc_bytes());
    return {};
}

// Parameters cost at least three bytes each, so the packet bounds the loops; the names and types are read twice
// instead of being stored.
wire_result<void> skip_query_attributes(reader& in) {
    SLUICE_TRY(const auto count, in.lenenc_int());
    SLUICE_TRY_VOID(in.lenenc_int());  // number of parameter sets, always 1
    if (count == 0) return {};
    if (count > 0xFFFF) return wire_error{wire_errc::malformed, "more than 65535 query attributes"};
    SLUICE_TRY(const auto nulls, in.bytes(static_cast<std::size_t>(count + 7) / 8));
    SLUICE_TRY(const auto has_types, in.u8());
    if (has_types != 1) return wire_error{wire_errc::malformed, "query attributes without types"};
    auto types = in;
    for (std::size_t i = 0; i < count; ++i) {
        SLUICE_TRY_VOID(in.skip(2));
        SLUICE_TRY_VOID(in.lenenc_bytes());
    }
    for (std::size_t i = 0; i < count; ++i) {
        SLUICE_TRY(const auto type, types.u16());
        SLUICE_TRY_VOID(types.lenenc_bytes());
        const bool is_null = (std::to_integer<unsigned>(nulls[i / 8]) >> (i % 8) & 1U) != 0;
        if (!is_null) SLUICE_TRY_VOID(skip_parameter_value(in, static_cast<column_type>(type & 0xFF)));
    }
    return {};
}

}  // namespace

std::string_view command_name(command value) noexcept {
    const auto& entry = entry_of(value);
    return entry.name.empty() ? "COM_UNKNOWN" : entry.name;
}

bool is_known_command(std::uint8_t byte) noexcept { return !command_table[byte].name.empty(); }

command_reply reply_of(command value) noexcept { return entry_of(value).reply; }

wire_result<query_command> parse_query(byte_view payload, capability_flags capabilities) {
    SLUICE_TRY(auto in, open_command(payload, command::query));
    if (has(capabilities, capability::query_attributes)) SLUICE_TRY_VOID(skip_query_attributes(in));
    const auto offset = in.position();
    return query_command{in.rest_text(), offset};
}

void serialise_query(byte_buffer& buffer, std::string_view sql, capability_flags capabilities) {
    auto out = begin_command(buffer, command::query);
    if (has(capabilities, capability::query_attributes)) {
        out.lenenc_int(0);  // parameters
        out.lenenc_int(1);  // parameter sets
    }
    out.text(sql);
}

void serialise_bare_command(byte_buffer& buffer, command value) { (void)begin_command(buffer, value); }

wire_result<std::string_view> parse_init_db(byte_view payload) {
    SLUICE_TRY(auto in, open_command(payload, command::init_db));
    return in.rest_text();
}

void serialise_init_db(byte_buffer& buffer, std::string_view schema) {
    begin_command(buffer, command::init_db).text(schema);
}

wire_result<std::uint16_t> parse_set_option(byte_view payload) {
    SLUICE_TRY(auto in, open_command(payload, command::set_option));
    return in.u16();
}

void serialise_set_option(byte_buffer& buffer, std::uint16_t option) {
    begin_command(buffer, command::set_option).u16(option);
}

wire_result<std::uint32_t> parse_process_kill(byte_view payload) {
    SLUICE_TRY(auto in, open_command(payload, command::process_kill));
    return in.u32();
}

void serialise_process_kill(byte_buffer& buffer, std::uint32_t connection_id) {
    begin_command(buffer, command::process_kill).u32(connection_id);
}

}  // namespace sluice::protocol

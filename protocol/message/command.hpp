#pragma once

// The command byte: every command of the classic protocol with its name and what kind of reply it has, and where the
// statement text stands in COM_QUERY. Manual: "Command Phase". Bodies of the prepared-statement commands are in
// statement_command.hpp, those of a replica in replication_command.hpp.

#include "protocol/message/capabilities.hpp"
#include "protocol/wire/bytes.hpp"
#include "protocol/wire/error.hpp"

#include <optional>

namespace sluice::protocol {

enum class command : std::uint8_t {
    sleep = 0x00,
    quit = 0x01,
    init_db = 0x02,
    query = 0x03,
    field_list = 0x04,
    create_db = 0x05,
    drop_db = 0x06,
    refresh = 0x07,
    shutdown = 0x08,
    statistics = 0x09,
    process_info = 0x0A,
    connect = 0x0B,
    process_kill = 0x0C,
    debug = 0x0D,
    ping = 0x0E,
    time = 0x0F,
    delayed_insert = 0x10,
    change_user = 0x11,
    binlog_dump = 0x12,
    table_dump = 0x13,
    connect_out = 0x14,
    register_slave = 0x15,
    stmt_prepare = 0x16,
    stmt_execute = 0x17,
    stmt_send_long_data = 0x18,
    stmt_close = 0x19,
    stmt_reset = 0x1A,
    set_option = 0x1B,
    stmt_fetch = 0x1C,
    daemon = 0x1D,
    binlog_dump_gtid = 0x1E,
    reset_connection = 0x1F,
    clone = 0x20,
    subscribe_group_replication_stream = 0x21,
    mariadb_stmt_bulk_execute = 0xFA,
    mariadb_slave_worker = 0xFB,
    mariadb_slave_io = 0xFC,
    mariadb_slave_sql = 0xFD,
    mariadb_com_multi = 0xFE,
};

/// How the server answers.
enum class command_reply : std::uint8_t {
    none,            ///< nothing at all: QUIT, STMT_CLOSE, STMT_SEND_LONG_DATA
    ok_or_err,       ///< one packet: OK or ERR
    result,          ///< OK, ERR, LOCAL INFILE or result sets: QUERY, PROCESS_INFO, STMT_EXECUTE, STMT_BULK_EXECUTE
    field_list,      ///< column definitions up to EOF, or ERR
    bare_text,       ///< a string without a header (ERR is possible): STATISTICS
    eof_or_err,      ///< one packet: EOF or OK, or ERR: SET_OPTION, DEBUG
    prepare,         ///< prepare-OK with definitions, or ERR
    fetch,           ///< rows up to the terminator, or ERR: STMT_FETCH
    authentication,  ///< CHANGE_USER: an authentication exchange
    endless,         ///< a stream until ERR, EOF or the end of the connection: BINLOG_DUMP(_GTID), TABLE_DUMP, CLONE,
                     ///< SUBSCRIBE_GROUP_REPLICATION_STREAM
    unknown,         ///< not a command of a client; servers answer ERR
};

/// The name as the manual writes it ("COM_QUERY"), or "COM_UNKNOWN".
[[nodiscard]] std::string_view command_name(command value) noexcept;
/// False for bytes that no server defines.
[[nodiscard]] bool is_known_command(std::uint8_t byte) noexcept;
[[nodiscard]] command_reply reply_of(command value) noexcept;
[[nodiscard]] inline bool has_reply(command value) noexcept { return reply_of(value) != command_reply::none; }

struct query_command {
    std::string_view sql;        ///< view into the payload
    std::size_t sql_offset = 1;  ///< where in the payload it begins
};
/// Skips the parameter block of query_attributes where it is negotiated. The payload includes the command byte.
/// Errors: truncated, malformed (unknown parameter type, missing bind flag).
[[nodiscard]] wire_result<query_command> parse_query(byte_view payload, capability_flags capabilities);
void serialise_query(byte_buffer& out, std::string_view sql, capability_flags capabilities);

/// Just the command byte: QUIT, PING, STATISTICS, RESET_CONNECTION, DEBUG.
void serialise_bare_command(byte_buffer& out, command value);

/// The schema name of COM_INIT_DB: view into the payload.
[[nodiscard]] wire_result<std::string_view> parse_init_db(byte_view payload);
void serialise_init_db(byte_buffer& out, std::string_view schema);

/// COM_SET_OPTION's argument: 0 multi statements on, 1 off.
inline constexpr std::uint16_t option_multi_statements_on = 0;
inline constexpr std::uint16_t option_multi_statements_off = 1;
[[nodiscard]] wire_result<std::uint16_t> parse_set_option(byte_view payload);
void serialise_set_option(byte_buffer& out, std::uint16_t option);

/// COM_PROCESS_KILL's connection id.
[[nodiscard]] wire_result<std::uint32_t> parse_process_kill(byte_view payload);
void serialise_process_kill(byte_buffer& out, std::uint32_t connection_id);

}  // namespace sluice::protocol

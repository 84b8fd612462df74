#pragma once

// The 19 bytes in front of every event (binlog format v4, all servers since MySQL 5.0), and the event types of MySQL up
// to 9.x and of MariaDB. Sources: MySQL manual, "Binary Log Event Header"; MariaDB knowledge base, "Event Header".

#include "protocol/binlog/error.hpp"

#include <cstdint>
#include <string_view>

namespace sluice::binlog {

enum class event_type : std::uint8_t {
    unknown = 0,
    start_v3 = 1,
    query = 2,
    stop = 3,
    rotate = 4,
    intvar = 5,
    load = 6,
    slave = 7,
    create_file = 8,
    append_block = 9,
    exec_load = 10,
    delete_file = 11,
    new_load = 12,
    rand = 13,
    user_var = 14,
    format_description = 15,
    xid = 16,
    begin_load_query = 17,
    execute_load_query = 18,
    table_map = 19,
    write_rows_v0 = 20,
    update_rows_v0 = 21,
    delete_rows_v0 = 22,
    write_rows_v1 = 23,
    update_rows_v1 = 24,
    delete_rows_v1 = 25,
    incident = 26,
    heartbeat = 27,
    ignorable = 28,
    rows_query = 29,
    write_rows = 30,
    update_rows = 31,
    delete_rows = 32,
    gtid = 33,
    anonymous_gtid = 34,
    previous_gtids = 35,
    transaction_context = 36,
    view_change = 37,
    xa_prepare = 38,
    partial_update_rows = 39,
    transaction_payload = 40,
    heartbeat_v2 = 41,
    gtid_tagged = 42,

    mariadb_annotate_rows = 160,
    mariadb_binlog_checkpoint = 161,
    mariadb_gtid = 162,
    mariadb_gtid_list = 163,
    mariadb_start_encryption = 164,
    mariadb_query_compressed = 165,
    mariadb_write_rows_compressed_v1 = 166,
    mariadb_update_rows_compressed_v1 = 167,
    mariadb_delete_rows_compressed_v1 = 168,
    mariadb_write_rows_compressed = 169,
    mariadb_update_rows_compressed = 170,
    mariadb_delete_rows_compressed = 171,
};

/// The name that SHOW BINLOG EVENTS has for it where it has one ("Write_rows", "Xid"); "Unknown" otherwise.
[[nodiscard]] std::string_view event_type_name(event_type type) noexcept;

/// True for a type that is listed above (other than `unknown`).
[[nodiscard]] bool is_known(event_type type) noexcept;

/// True when an event of this type can change rows by itself, so that passing over it would lose changes: row events of
/// every version, compressed containers, statement-based LOAD DATA, and every type that is not known.
/// Query events are not counted: what their statement does is for the caller to judge.
[[nodiscard]] bool may_carry_rows(event_type type) noexcept;

namespace event_flag {
inline constexpr std::uint16_t binlog_in_use = 0x0001;  ///< format description of a file that is still written to
inline constexpr std::uint16_t thread_specific = 0x0004;
inline constexpr std::uint16_t suppress_use = 0x0008;
inline constexpr std::uint16_t artificial = 0x0020;  ///< made by the dump thread, not part of the file
inline constexpr std::uint16_t relay_log = 0x0040;
inline constexpr std::uint16_t ignorable = 0x0080;  ///< a reader that does not know the type may skip it
inline constexpr std::uint16_t no_filter = 0x0100;
inline constexpr std::uint16_t isolate = 0x0200;
}  // namespace event_flag

struct event_header {
    static constexpr std::size_t size = 19;

    std::uint32_t timestamp_s = 0;  ///< when the statement began, Unix time
    event_type type = event_type::unknown;
    std::uint32_t server_id = 0;
    std::uint32_t event_size = 0;    ///< header and checksum included
    std::uint32_t end_position = 0;  ///< lower 32 bits; 0 for artificial events. See position_tracker.
    std::uint16_t flags = 0;

    [[nodiscard]] bool has_flag(std::uint16_t flag) const noexcept { return (flags & flag) != 0; }

    /// Reads the header at the front of `event`. Errors: truncated; malformed when the size it states is under 19.
    [[nodiscard]] static decode_result<event_header> decode(byte_view event);

    friend bool operator==(const event_header&, const event_header&) = default;
};

}  // namespace sluice::binlog

#pragma once

// Capability flags and server status flags. The lower 32 bits are MySQL's (manual: "Capabilities Flags"); the upper 32
// are MariaDB's extended ones, which travel in the last four filler bytes of the greeting and of the client's response
// when long_password (which MariaDB calls CLIENT_MYSQL) is not set.

#include <cstdint>

namespace sluice::protocol {

using capability_flags = std::uint64_t;

namespace capability {

inline constexpr capability_flags long_password = 1ULL << 0;
inline constexpr capability_flags found_rows = 1ULL << 1;
inline constexpr capability_flags long_flag = 1ULL << 2;
inline constexpr capability_flags connect_with_db = 1ULL << 3;
inline constexpr capability_flags no_schema = 1ULL << 4;
inline constexpr capability_flags compress = 1ULL << 5;
inline constexpr capability_flags odbc = 1ULL << 6;
inline constexpr capability_flags local_files = 1ULL << 7;
inline constexpr capability_flags ignore_space = 1ULL << 8;
inline constexpr capability_flags protocol_41 = 1ULL << 9;
inline constexpr capability_flags interactive = 1ULL << 10;
inline constexpr capability_flags ssl = 1ULL << 11;
inline constexpr capability_flags ignore_sigpipe = 1ULL << 12;
inline constexpr capability_flags transactions = 1ULL << 13;
inline constexpr capability_flags reserved = 1ULL << 14;
inline constexpr capability_flags secure_connection = 1ULL << 15;
inline constexpr capability_flags multi_statements = 1ULL << 16;
inline constexpr capability_flags multi_results = 1ULL << 17;
inline constexpr capability_flags ps_multi_results = 1ULL << 18;
inline constexpr capability_flags plugin_auth = 1ULL << 19;
inline constexpr capability_flags connect_attrs = 1ULL << 20;
inline constexpr capability_flags plugin_auth_lenenc_data = 1ULL << 21;
inline constexpr capability_flags can_handle_expired_passwords = 1ULL << 22;
inline constexpr capability_flags session_track = 1ULL << 23;
inline constexpr capability_flags deprecate_eof = 1ULL << 24;
inline constexpr capability_flags optional_resultset_metadata = 1ULL << 25;
inline constexpr capability_flags zstd_compression = 1ULL << 26;
inline constexpr capability_flags query_attributes = 1ULL << 27;
inline constexpr capability_flags multi_factor_authentication = 1ULL << 28;
inline constexpr capability_flags capability_extension = 1ULL << 29;
inline constexpr capability_flags ssl_verify_server_cert = 1ULL << 30;
inline constexpr capability_flags remember_options = 1ULL << 31;

inline constexpr capability_flags mariadb_progress = 1ULL << 32;
inline constexpr capability_flags mariadb_com_multi = 1ULL << 33;
inline constexpr capability_flags mariadb_stmt_bulk_operations = 1ULL << 34;
inline constexpr capability_flags mariadb_extended_metadata = 1ULL << 35;
inline constexpr capability_flags mariadb_cache_metadata = 1ULL << 36;
inline constexpr capability_flags mariadb_bulk_unit_results = 1ULL << 37;

inline constexpr capability_flags mysql_mask = 0xFFFFFFFFULL;
inline constexpr capability_flags mariadb_mask = ~mysql_mask;

}  // namespace capability

[[nodiscard]] constexpr bool has(capability_flags flags, capability_flags wanted) noexcept {
    return (flags & wanted) == wanted;
}

using status_flags = std::uint16_t;

/// Server status flags of OK and EOF packets (manual: "Status Flags").
namespace server_status {

inline constexpr status_flags in_trans = 1U << 0;
inline constexpr status_flags autocommit = 1U << 1;
inline constexpr status_flags more_results_exist = 1U << 3;
inline constexpr status_flags no_good_index_used = 1U << 4;
inline constexpr status_flags no_index_used = 1U << 5;
inline constexpr status_flags cursor_exists = 1U << 6;
inline constexpr status_flags last_row_sent = 1U << 7;
inline constexpr status_flags db_dropped = 1U << 8;
inline constexpr status_flags no_backslash_escapes = 1U << 9;
inline constexpr status_flags metadata_changed = 1U << 10;
inline constexpr status_flags query_was_slow = 1U << 11;
inline constexpr status_flags ps_out_params = 1U << 12;
inline constexpr status_flags in_trans_readonly = 1U << 13;
inline constexpr status_flags session_state_changed = 1U << 14;
inline constexpr status_flags ansi_quotes = 1U << 15;  ///< MariaDB only

}  // namespace server_status

}  // namespace sluice::protocol

#pragma once

// The connection phase of a test client, and its digests (on OpenSSL). Sources: MySQL manual, "Connection Phase",
// "Authentication Methods"; MariaDB knowledge base, "Connecting".

#include "tests/support/wire_packets.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace sluice::test::wire {

/// Flags by their numbers; the upper half is MariaDB's extended ones.
namespace flag {
inline constexpr std::uint64_t long_password = 1ULL << 0;
inline constexpr std::uint64_t found_rows = 1ULL << 1;
inline constexpr std::uint64_t long_flag = 1ULL << 2;
inline constexpr std::uint64_t connect_with_db = 1ULL << 3;
inline constexpr std::uint64_t compress = 1ULL << 5;
inline constexpr std::uint64_t local_files = 1ULL << 7;
inline constexpr std::uint64_t ignore_space = 1ULL << 8;
inline constexpr std::uint64_t protocol_41 = 1ULL << 9;
inline constexpr std::uint64_t interactive = 1ULL << 10;
inline constexpr std::uint64_t ssl = 1ULL << 11;
inline constexpr std::uint64_t transactions = 1ULL << 13;
inline constexpr std::uint64_t secure_connection = 1ULL << 15;
inline constexpr std::uint64_t multi_statements = 1ULL << 16;
inline constexpr std::uint64_t multi_results = 1ULL << 17;
inline constexpr std::uint64_t ps_multi_results = 1ULL << 18;
inline constexpr std::uint64_t plugin_auth = 1ULL << 19;
inline constexpr std::uint64_t connect_attrs = 1ULL << 20;
inline constexpr std::uint64_t lenenc_auth = 1ULL << 21;
inline constexpr std::uint64_t expired_passwords = 1ULL << 22;
inline constexpr std::uint64_t session_track = 1ULL << 23;
inline constexpr std::uint64_t deprecate_eof = 1ULL << 24;
inline constexpr std::uint64_t optional_metadata = 1ULL << 25;
inline constexpr std::uint64_t zstd = 1ULL << 26;
inline constexpr std::uint64_t query_attributes = 1ULL << 27;
inline constexpr std::uint64_t mariadb_progress = 1ULL << 32;
inline constexpr std::uint64_t mariadb_bulk = 1ULL << 34;
inline constexpr std::uint64_t mariadb_extended_metadata = 1ULL << 35;
inline constexpr std::uint64_t mariadb_cache_metadata = 1ULL << 36;
inline constexpr std::uint64_t mariadb_bulk_unit_results = 1ULL << 37;
}  // namespace flag

struct greeting {
    std::uint8_t protocol = 0;
    std::string version;
    std::uint32_t connection_id = 0;
    std::uint64_t capabilities = 0;
    std::uint8_t character_set = 0;
    std::uint16_t status = 0;
    std::string scramble;  ///< 20 bytes
    std::uint8_t scramble_size_field = 0;
    std::string filler;  ///< between the flags and the second part of the scramble, MariaDB's flags taken out
    std::string plugin;
    std::string behind;  ///< what follows the plugin's name

    friend bool operator==(const greeting&, const greeting&) = default;
};

/// Throws error.
[[nodiscard]] greeting parse_greeting(std::string_view payload);

struct login {
    std::string user;
    std::string password;
    std::string database;
    std::uint64_t capabilities = 0;  ///< wanted; what the server does not offer is left out
    std::uint8_t character_set = 45;
    bool tls = false;
    compression compressed = compression::none;
};

struct login_outcome {
    greeting greeted;
    std::uint64_t capabilities = 0;  ///< of the session
    bool logged_in = false;
    std::vector<packet> packets;  ///< of the server, the greeting first
};

/// The whole phase. Throws error (among others when the server lacks the transport that is asked for).
[[nodiscard]] login_outcome log_in(transport& under, packet_stream& stream, const login& as);
/// COM_CHANGE_USER in a session, and the exchange that follows. True when it was let in.
[[nodiscard]] bool change_user(transport& under, packet_stream& stream, const login_outcome& session, const login& as,
                               std::vector<packet>& packets);

}  // namespace sluice::test::wire

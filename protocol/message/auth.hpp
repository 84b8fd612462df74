#pragma once

// Packets of an authentication exchange: switch request, more data, next factor, and COM_CHANGE_USER, which re-enters
// the exchange. Manual: "Authentication Method Switch Request", "Protocol::AuthMoreData", "COM_CHANGE_USER".

#include "protocol/message/capabilities.hpp"
#include "protocol/wire/bytes.hpp"
#include "protocol/wire/error.hpp"

#include <optional>
#include <string>

namespace sluice::protocol {

inline constexpr std::string_view native_password_plugin = "mysql_native_password";
inline constexpr std::string_view caching_sha2_plugin = "caching_sha2_password";
inline constexpr std::string_view sha256_plugin = "sha256_password";
inline constexpr std::string_view clear_password_plugin = "mysql_clear_password";
inline constexpr std::string_view dialog_plugin = "dialog";  // of MariaDB's PAM accounts
inline constexpr std::string_view openid_connect_plugin = "authentication_openid_connect_client";
inline constexpr std::string_view old_password_plugin = "mysql_old_password";

/// Single bytes of caching_sha2_password: the server's after the more-data header, the client's as whole packets.
inline constexpr std::uint8_t caching_sha2_request_public_key = 2;
inline constexpr std::uint8_t caching_sha2_fast_auth_ok = 3;
inline constexpr std::uint8_t caching_sha2_full_auth = 4;

/// sha256_password: the client's request for the key, in the place of a password. The key comes as more data.
inline constexpr std::uint8_t sha256_request_public_key = 1;

/// What a server's packet means while an exchange runs; decided by its first byte.
enum class auth_packet_kind : std::uint8_t { ok, err, switch_request, more_data, next_factor, unknown };
[[nodiscard]] auth_packet_kind classify_auth_packet(std::uint8_t first_byte) noexcept;

struct auth_switch_request {
    std::string plugin;
    std::string data;  ///< as sent; scrambles end in a NUL that is part of it
    /// True for the lone 0xFE of servers before 4.1.1, which means mysql_old_password with the greeting's scramble.
    bool is_old_form = false;

    /// data without one terminating NUL.
    [[nodiscard]] std::string_view scramble() const noexcept;
};
[[nodiscard]] wire_result<auth_switch_request> parse_auth_switch_request(byte_view payload);
void serialise(byte_buffer& out, const auth_switch_request& request);

struct auth_more_data {
    std::string data;  ///< e.g. one of the bytes above, or a public key in PEM
};
[[nodiscard]] wire_result<auth_more_data> parse_auth_more_data(byte_view payload);
void serialise(byte_buffer& out, const auth_more_data& more);

struct auth_next_factor {
    std::string plugin;
    std::string data;
};
[[nodiscard]] wire_result<auth_next_factor> parse_auth_next_factor(byte_view payload);
void serialise(byte_buffer& out, const auth_next_factor& factor);

struct change_user {
    std::string user;
    std::string auth_response;  ///< at most 255 bytes
    std::string database;
    std::optional<std::uint16_t> character_set;  ///< old clients leave it and everything after it out
    std::optional<std::string> auth_plugin;      ///< sent when plugin_auth is set and character_set is there
    std::optional<std::string> attributes;       ///< as handshake_response::attributes; when connect_attrs is set
    std::string trailing;                        ///< bytes after the fields known here
};
/// `capabilities` are those of the session. Errors: truncated, malformed. The payload includes the command byte 0x11.
[[nodiscard]] wire_result<change_user> parse_change_user(byte_view payload, capability_flags capabilities);
void serialise(byte_buffer& out, const change_user& change, capability_flags capabilities);

}  // namespace sluice::protocol

#pragma once

// The connection phase before authentication: the server's greeting (HandshakeV10), the client's answer
// (HandshakeResponse41) and the request to switch to TLS (SSLRequest). Manual: "Connection Phase Packets".
// What parse returns owns its bytes; serialise of an unchanged value gives back the bytes that were parsed (provided
// that lengths stood there in their shortest form, as everyone writes them).

#include "protocol/message/capabilities.hpp"
#include "protocol/wire/bytes.hpp"
#include "protocol/wire/error.hpp"

#include <array>
#include <string>
#include <utility>
#include <vector>

namespace sluice::protocol {

/// Length of the scramble of native_password and caching_sha2_password.
inline constexpr std::size_t scramble_size = 20;

struct server_greeting {
    std::string server_version;  ///< no NUL inside
    std::uint32_t connection_id = 0;
    capability_flags capabilities = 0;
    std::uint8_t character_set = 255;
    status_flags status = server_status::autocommit;
    /// All authentication data, as sent: 8 bytes, then usually 12 bytes and a NUL. At least 8 bytes.
    std::string auth_data;
    std::string auth_plugin;  ///< empty unless plugin_auth is set

    /// Details that only a byte-exact copy needs.
    std::uint8_t auth_data_size_field = 21;  ///< what the server wrote; not always the true size
    std::byte filler{};                      ///< between the first 8 bytes of authentication data and the capabilities
    std::array<std::byte, 10> reserved{};    ///< last four overwritten by MariaDB's capabilities where they apply
    bool has_second_half = true;             ///< false: a server that ends after the lower capabilities
    bool auth_plugin_terminated = true;      ///< some servers leave out the NUL after the plugin name
    std::string trailing;                    ///< bytes after the fields known here

    /// auth_data without its terminating NUL: what digests are computed with.
    [[nodiscard]] std::string_view scramble() const noexcept;
};

/// Errors: truncated, malformed, unsupported (protocol version other than 10). An ERR packet (first byte 0xFF) in place
/// of a greeting is not handled here: look for it first.
[[nodiscard]] wire_result<server_greeting> parse_server_greeting(byte_view payload);
/// auth_data must be as long as auth_data_size_field and secure_connection announce: asserted.
void serialise(byte_buffer& out, const server_greeting& greeting);

using connect_attributes = std::vector<std::pair<std::string, std::string>>;

struct handshake_response {
    capability_flags capabilities = capability::protocol_41 | capability::secure_connection | capability::plugin_auth;
    std::uint32_t packet_size_max = 1U << 24;  ///< bytes
    std::uint8_t character_set = 255;
    std::string user;           ///< no NUL inside
    std::string auth_response;  ///< at most 255 bytes unless plugin_auth_lenenc_data is set
    std::string database;       ///< sent when connect_with_db is set
    std::string auth_plugin;    ///< sent when plugin_auth is set
    /// Key-value block as sent, without its leading total length; see parse_attributes. Sent when connect_attrs is set.
    std::string attributes;
    std::uint8_t zstd_level = 0;  ///< 1 .. 22; sent when zstd_compression is set

    /// Details that only a byte-exact copy needs.
    std::array<std::byte, 23> reserved{};  ///< last four overwritten by MariaDB's capabilities where they apply
    /// Clients may announce a trailing field and then leave it out; the server takes it for empty.
    bool has_database = true;
    bool has_auth_plugin = true;
    bool auth_plugin_terminated = true;
    bool has_attributes = true;
    bool has_zstd_level = true;
    std::string trailing;  ///< bytes after the fields known here
};

/// Errors: unsupported when the client lacks protocol_41 (a client from before MySQL 4.1); truncated; malformed.
/// A payload of is_ssl_request() is not a response: look for it first.
[[nodiscard]] wire_result<handshake_response> parse_handshake_response(byte_view payload);
/// The auth_response must fit its length field (see above): asserted.
void serialise(byte_buffer& out, const handshake_response& response);

/// Errors: truncated, malformed. Views of the pairs are copied.
[[nodiscard]] wire_result<connect_attributes> parse_attributes(std::string_view block);
[[nodiscard]] std::string serialise_attributes(const connect_attributes& attributes);

/// The fixed part that SSLRequest shares with the response.
struct ssl_request {
    capability_flags capabilities = 0;
    std::uint32_t packet_size_max = 1U << 24;
    std::uint8_t character_set = 255;
    std::array<std::byte, 23> reserved{};
};

/// True for the 32-byte form of the response that asks for TLS.
[[nodiscard]] bool is_ssl_request(byte_view payload);
[[nodiscard]] wire_result<ssl_request> parse_ssl_request(byte_view payload);
void serialise(byte_buffer& out, const ssl_request& request);

}  // namespace sluice::protocol

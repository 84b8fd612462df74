#pragma once

// Logins as scripts: what a server and a client say to connect_fsm, and what each has heard.

#include <memory>
#include <string>
#include <vector>

#include "protocol/auth/caching_sha2.hpp"
#include "proxy/session/connect_fsm.hpp"
#include "tests/unit/session/packets.hpp"

namespace sluice::session {

inline std::shared_ptr<const protocol::rsa_key_pair> a_key() {
    static const auto key = std::make_shared<const protocol::rsa_key_pair>(*protocol::rsa_key_pair::generate());
    return key;
}
inline const protocol::rsa_key_pair& servers_key() {
    static const auto key = *protocol::rsa_key_pair::generate();
    return key;
}

inline const std::string scramble = "01234567890123456789";

inline protocol::server_greeting greeting_of(capability_flags capabilities = capability::mysql_mask) {
    protocol::server_greeting greeting;
    greeting.server_version = "9.7.0";
    greeting.connection_id = 77;
    greeting.capabilities = capabilities;
    greeting.auth_data = scramble + std::string(1, '\0');
    greeting.auth_plugin = protocol::caching_sha2_plugin;
    return greeting;
}

template <class Message>
std::string payload_of(const Message& message) {
    byte_buffer out;
    protocol::serialise(out, message);
    return protocol::to_string(out);
}

inline std::string response_of(capability_flags capabilities,
                               const std::string& plugin = std::string(protocol::caching_sha2_plugin)) {
    protocol::handshake_response response;
    response.capabilities = capabilities;
    response.user = "app";
    response.auth_response = std::string(32, 'a');
    response.database = "shop";
    response.auth_plugin = plugin;
    return payload_of(response);
}

inline constexpr capability_flags client_flags = modern | capability::connect_with_db |
                                                 capability::ssl_verify_server_cert | capability::compress |
                                                 capability::interactive;

enum class from : std::uint8_t { server, client };

struct spoken {
    from who;
    std::string payload;
    std::uint8_t sequence;
};

struct heard {
    byte_buffer by_client, by_server;
    bool operator==(const heard&) const = default;
};

// Plays the packets, each in pieces of the given size, and returns what both sides have heard.
inline heard play(connect_fsm& fsm, const std::vector<spoken>& lines, std::size_t piece = 1 << 20) {
    heard all;
    for (const auto& line : lines) {
        const auto bytes = framed(line.payload, line.sequence);
        for (std::size_t at = 0; at < bytes.size();) {
            const auto part = byte_view(bytes).subspan(at, std::min(piece, bytes.size() - at));
            const auto used = line.who == from::server ? fsm.on_server(part, all.by_client, all.by_server)
                                                       : fsm.on_client(part, all.by_client, all.by_server);
            REQUIRE(used == part.size());
            at += used;
        }
    }
    return all;
}

inline std::vector<spoken> fast_login() {
    return {{from::server, payload_of(greeting_of()), 0},
            {from::client, response_of(client_flags), 1},
            {from::server, "\x01\x03", 2},
            {from::server, std::string("\0\0\0\2\0\0\0", 7), 3}};
}

inline std::string encrypted(const std::string& pem, const std::string& password) {
    return *protocol::rsa_public_key::from_pem(pem)->encrypt(protocol::mask_password(password, scramble));
}

// What stands in the only packet of these bytes.
inline std::string only_payload(const byte_buffer& bytes, std::uint8_t sequence) {
    protocol::packet_assembler assembler(1 << 20);
    const auto used = assembler.feed(bytes);
    REQUIRE(used.has_value());
    REQUIRE(*used == bytes.size());
    REQUIRE(assembler.complete());
    CHECK(assembler.last_sequence() == sequence);
    return protocol::to_string(assembler.payload());
}

}  // namespace sluice::session

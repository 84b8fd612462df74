#include "protocol/message/client_handshake.hpp"

#include "protocol/message/ok.hpp"

namespace sluice::protocol {

namespace {

// Client error codes of MySQL (errmsg.h of the client library): what drivers would report for the same failures.
constexpr std::uint16_t version_error = 2007;
constexpr std::uint16_t tls_error = 2026;
constexpr std::uint16_t malformed_packet = 2027;
constexpr std::uint16_t auth_plugin_cannot_load = 2059;
constexpr std::uint16_t auth_plugin_error = 2061;

constexpr std::uint8_t err_byte = 0xFF;

err_packet own_error(std::uint16_t code, std::string message) { return {code, "HY000", std::move(message)}; }

}  // namespace

client_handshake::client_handshake(client_login login)
    : login_(std::move(login)), auth_(login_.password, login_.is_secure_transport) {}

std::optional<client_handshake::outgoing> client_handshake::on_packet(byte_view payload, std::uint8_t sequence) {
    SLUICE_ASSERT(state_ == login_state::waiting);
    if (payload.empty()) {
        fail(wire_error{wire_errc::truncated, "server sent an empty packet during the login"});
        return std::nullopt;
    }
    if (payload[0] == std::byte{err_byte}) {
        auto err = parse_err(payload);
        if (err) {
            fail(std::move(err).value(), true);
        } else {
            fail(err.error());
        }
        return std::nullopt;
    }
    return greeted_ ? on_auth_packet(payload, sequence) : on_greeting(payload, sequence);
}

std::optional<client_handshake::outgoing> client_handshake::on_greeting(byte_view payload, std::uint8_t sequence) {
    auto greeting = parse_server_greeting(payload);
    if (!greeting) {
        fail(greeting.error());
        return std::nullopt;
    }
    greeting_ = std::move(greeting).value();
    greeted_ = true;
    auto wanted =
        login_.capabilities | capability::protocol_41 | capability::secure_connection | capability::plugin_auth;
    if (!login_.database.empty()) wanted |= capability::connect_with_db;
    capabilities_ = wanted & greeting_.capabilities;
    if (!has(capabilities_, capability::protocol_41 | capability::secure_connection)) {
        fail(own_error(version_error, "server does not speak the 4.1 protocol"), false);
        return std::nullopt;
    }
    if (login_.tls != client_tls::never && has(greeting_.capabilities, capability::ssl)) return ask_for_tls(sequence);
    if (login_.tls == client_tls::always) {
        fail(own_error(tls_error, "TLS connection error: TLS is required, but the server does not offer it"), false);
        return std::nullopt;
    }
    return respond(static_cast<std::uint8_t>(sequence + 1));
}

client_handshake::outgoing client_handshake::ask_for_tls(std::uint8_t sequence) {
    capabilities_ |= capability::ssl;
    ssl_request request;
    request.capabilities = capabilities_;
    request.packet_size_max = login_.packet_size_max;
    request.character_set = login_.character_set;
    outgoing out;
    tls_request_sequence_ = out.sequence = static_cast<std::uint8_t>(sequence + 1);
    serialise(out.payload, request);
    state_ = login_state::securing;
    return out;
}

std::optional<client_handshake::outgoing> client_handshake::on_secured() {
    SLUICE_ASSERT(state_ == login_state::securing);
    state_ = login_state::waiting;
    auth_.set_secure_transport();
    return respond(static_cast<std::uint8_t>(tls_request_sequence_ + 1));
}

std::optional<client_handshake::outgoing> client_handshake::respond(std::uint8_t sequence) {
    const std::string_view plugin =
        has(capabilities_, capability::plugin_auth) ? std::string_view(greeting_.auth_plugin) : native_password_plugin;
    auto answer = auth_.begin(plugin, greeting_.scramble());
    if (!answer) {
        fail(answer.error());
        return std::nullopt;
    }
    handshake_response response;
    response.capabilities = capabilities_;
    response.packet_size_max = login_.packet_size_max;
    response.character_set = login_.character_set;
    response.user = login_.user;
    response.auth_response = std::move(answer).value();
    response.database = login_.database;
    response.auth_plugin = auth_.plugin();
    response.attributes = serialise_attributes(login_.attributes);
    if (!has(capabilities_, capability::plugin_auth_lenenc_data) && response.auth_response.size() > 0xFF) {
        fail(own_error(auth_plugin_error, "password is too long for this server"), false);
        return std::nullopt;
    }
    outgoing out;
    out.sequence = sequence;
    serialise(out.payload, response);
    return out;
}

std::optional<client_handshake::outgoing> client_handshake::on_auth_packet(byte_view payload, std::uint8_t sequence) {
    if (classify_auth_packet(std::to_integer<std::uint8_t>(payload[0])) == auth_packet_kind::ok) {
        const auto ok = parse_ok(payload, capabilities_);
        if (!ok) {
            fail(ok.error());
            return std::nullopt;
        }
        status_ = ok->status;
        state_ = login_state::done;
        return std::nullopt;
    }
    const auto answer = auth_.on_packet(payload);
    if (!answer) {
        fail(answer.error());
        return std::nullopt;
    }
    if (!answer->has_value()) return std::nullopt;
    return outgoing{to_buffer(**answer), static_cast<std::uint8_t>(sequence + 1)};
}

void client_handshake::fail(err_packet error, bool from_server) {
    failure_ = {std::move(error), from_server};
    state_ = login_state::failed;
}

void client_handshake::fail(wire_error error) {
    switch (error.code) {
        case wire_errc::unsupported:
            fail(own_error(greeted_ ? auth_plugin_cannot_load : version_error, error.what), false);
            break;
        case wire_errc::insecure:
        case wire_errc::crypto_failure: fail(own_error(auth_plugin_error, error.what), false); break;
        default: fail(own_error(malformed_packet, error.what), false); break;
    }
}

}  // namespace sluice::protocol

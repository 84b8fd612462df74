#include "proxy/session/connect_fsm.hpp"

#include <cstdint>
#include <utility>

#include "protocol/result.hpp"
#include "proxy/session/capability_filter.hpp"
#include "proxy/session/handshake_check.hpp"

namespace sluice::session {

using protocol::byte_buffer;
using protocol::byte_view;

namespace {

constexpr std::uint8_t err_byte = 0xFF;

// An SSLRequest with its header: no more may be read before it is known whether TLS begins behind it.
constexpr std::size_t ssl_request_bytes = protocol::frame_header_size + 32;

// ER_CONNECT_TO_FOREIGN_DATA_SOURCE. Numbers of the client library's own range (2026) are taken for malformed packets.
constexpr std::uint16_t error_no_secure_server = 1429;

}  // namespace

connect_fsm::connect_fsm(login_rules rules)
    : rules_(std::move(rules)),
      client_{rules_.client_is_local ? transport_kind::local : transport_kind::plain, 0},
      server_{rules_.server_is_local ? transport_kind::local : transport_kind::plain, 0},
      from_server_(rules_.packet_bytes_max),
      from_client_(rules_.packet_bytes_max),
      password_(rules_.rsa_key) {}

bool connect_fsm::over() const noexcept {
    return state_ == login_state::done || state_ == login_state::refused || state_ == login_state::failed ||
           state_ == login_state::abandoned;
}

bool connect_fsm::client_may_speak() const noexcept {
    if (state_ == login_state::exchange) return client_turn_;
    return state_ != login_state::server_tls;
}

std::size_t connect_fsm::client_bytes_max() const noexcept {
    const bool may_be_request = state_ == login_state::response && !facts_.client_has_tls;
    return may_be_request && client_bytes_ < ssl_request_bytes ? ssl_request_bytes - client_bytes_ : SIZE_MAX;
}

std::size_t connect_fsm::on_server(byte_view bytes, byte_buffer& to_client, byte_buffer& to_server) {
    std::size_t used = 0;
    while (used < bytes.size() && !over()) {
        const auto fed = from_server_.feed(bytes.subspan(used));
        if (!fed) {
            fail(bad_handshake("The server's login packets cannot be followed: " + std::string(fed.error().what)),
                 to_client);
            return bytes.size();
        }
        used += *fed;
        if (!from_server_.complete()) continue;
        next_to_server_ = static_cast<std::uint8_t>(from_server_.last_sequence() + 1);
        on_server_packet(from_server_.payload(), to_client, to_server);
        from_server_.clear();
    }
    return used;
}

std::size_t connect_fsm::on_client(byte_view bytes, byte_buffer& to_client, byte_buffer& to_server) {
    std::size_t used = 0;
    while (used < bytes.size() && !over() && client_may_speak()) {
        if (state_ == login_state::greeting) {
            fail(bad_handshake("the client spoke before the server"), to_client);
            return bytes.size();
        }
        if (state_ == login_state::client_tls) {
            // Whoever put them there wants them to be taken for the client's own, once the handshake is over.
            state_ = login_state::response;
            fail(bad_handshake("Bad handshake: unencrypted bytes behind the request for TLS"), to_client);
            return bytes.size();
        }
        const auto fed = from_client_.feed(bytes.subspan(used));
        if (!fed) {
            if (fed.error().code == protocol::wire_errc::too_large) {
                fail({1153, "08S01", "Got a packet bigger than Sluice takes before the login"}, to_client);
            } else {
                fail(bad_handshake("Bad handshake"), to_client);
            }
            return bytes.size();
        }
        used += *fed;
        if (state_ == login_state::response) client_bytes_ += *fed;
        if (!from_client_.complete()) continue;
        next_to_client_ = static_cast<std::uint8_t>(from_client_.last_sequence() + 1);
        on_client_packet(from_client_.payload(), to_client, to_server);
        from_client_.clear();
    }
    return used;
}

void connect_fsm::send(side to, byte_view payload, byte_buffer& out) {
    auto& next = to == side::client ? next_to_client_ : next_to_server_;
    next = protocol::append_framed(out, payload, next);
}

void connect_fsm::fail(const protocol::err_packet& error, byte_buffer& to_client) {
    failure_ = error.message;
    password_.end();
    if (state_ == login_state::client_tls) {
        state_ = login_state::failed;
        return;
    }
    byte_buffer payload;
    // In the place of a greeting an ERR has no SQLSTATE, as from a server: clients do not look for one there yet.
    protocol::serialise(payload, error, state_ == login_state::greeting ? 0 : capability::protocol_41);
    send(side::client, payload, to_client);
    state_ = login_state::failed;
}

void connect_fsm::on_server_packet(byte_view payload, byte_buffer& to_client, byte_buffer& to_server) {
    switch (state_) {
        case login_state::greeting: on_greeting(payload, to_client); return;
        case login_state::exchange: on_exchange_packet(payload, to_client, to_server); return;
        case login_state::abandoning: on_abandoned_packet(payload, to_server); return;
        case login_state::server_tls:
            fail(bad_handshake("The server answers the request for TLS unencrypted"), to_client);
            return;
        case login_state::client_tls:
            // The client could not read it.
            fail(bad_handshake("The server has ended the login during the client's TLS handshake"), to_client);
            return;
        default:
            // An ERR while the client's answer is due: out of time, or a shutdown.
            next_to_client_ = facts_.client_has_tls ? next_to_client_ : static_cast<std::uint8_t>(next_to_server_ - 1);
            send(side::client, payload, to_client);
            state_ = login_state::refused;
            return;
    }
}

void connect_fsm::on_greeting(byte_view payload, byte_buffer& to_client) {
    if (!payload.empty() && std::to_integer<std::uint8_t>(payload.front()) == err_byte) {
        next_to_client_ = static_cast<std::uint8_t>(next_to_server_ - 1);
        send(side::client, payload, to_client);
        state_ = login_state::refused;
        return;
    }
    auto greeting = protocol::parse_server_greeting(payload);
    if (!greeting) {
        fail(bad_handshake("The server's greeting is not understood: " + std::string(greeting.error().what)),
             to_client);
        return;
    }
    greeting_ = std::move(*greeting);
    facts_.connection_id = greeting_.connection_id;
    facts_.server_version = greeting_.server_version;
    facts_.offered = offered_capabilities(greeting_.capabilities);
    server_offers_tls_ = protocol::has(greeting_.capabilities, capability::ssl);
    answer_due_ = true;
    if (const char* missing = missing_tls()) {
        fail({error_no_secure_server, "HY000", missing}, to_client);
        return;
    }
    if (rules_.client_tls != tls_rule::disabled && (rules_.server_tls != tls_rule::as_client || server_offers_tls_)) {
        client_.capabilities = capability::ssl;
    }
    client_.capabilities |= offered_compression(rules_.compression);
    facts_.server_compression = server_compression(rules_.compression, greeting_.capabilities);
    server_.capabilities = compression_flag(facts_.server_compression);
    password_.begin(greeting_.auth_plugin, greeting_.scramble().substr(0, protocol::scramble_size));
    greeting_.capabilities = facts_.offered | client_.capabilities;
    byte_buffer changed;
    protocol::serialise(changed, greeting_);
    send(side::client, changed, to_client);
    state_ = login_state::response;
}

// What the rules ask for and this server cannot do; null: nothing.
const char* connect_fsm::missing_tls() const noexcept {
    if (server_offers_tls_) return nullptr;
    if (rules_.server_tls == tls_rule::required) {
        return "The server does not offer TLS, which Sluice requires of it (server.tls)";
    }
    if (rules_.server_tls == tls_rule::as_client && rules_.client_tls == tls_rule::required &&
        !rules_.client_is_local) {
        return "The server does not offer TLS, which Sluice is to use as its clients do (server.tls)";
    }
    return nullptr;
}

bool connect_fsm::server_wants_tls() const noexcept {
    switch (rules_.server_tls) {
        case tls_rule::disabled: return false;
        case tls_rule::preferred: return server_offers_tls_ && !rules_.server_is_local;
        case tls_rule::required: return true;
        case tls_rule::as_client: return facts_.client_has_tls;
    }
    return false;
}

void connect_fsm::on_client_packet(byte_view payload, byte_buffer& to_client, byte_buffer& to_server) {
    if (state_ == login_state::response) {
        on_response(payload, to_client, to_server);
    } else if (state_ == login_state::exchange) {
        client_turn_ = false;
        follow(password_.on_client(protocol::as_text(payload)), payload, to_client, to_server);
    }
}

void connect_fsm::on_response(byte_view payload, byte_buffer& to_client, byte_buffer& to_server) {
    if (protocol::is_ssl_request(payload)) return on_ssl_request(to_client);
    auto response = protocol::parse_handshake_response(payload);
    if (!response) {
        fail(bad_handshake("Bad handshake"), to_client);
        return;
    }
    if (!choose_compression(*response)) {
        // ER_WRONG_COMPRESSION_LEVEL_CLIENT
        fail({3923, "HY000", "Invalid zstd compression level for algorithm 'zstd'."}, to_client);
        return;
    }
    response->capabilities = agreed_capabilities(facts_.offered, response->capabilities);
    if (!can_be_passed_on(*response)) {
        fail(bad_handshake("Bad handshake: the client answers with a capability that was not offered"), to_client);
        return;
    }
    if (rules_.client_tls == tls_rule::required && client_.kind == transport_kind::plain) {
        fail({3159, "HY000", "Connections using insecure transport are prohibited while proxy.tls is \"required\""},
             to_client);
        return;
    }
    facts_.capabilities = response->capabilities;
    server_.capabilities |= introduction_.capability_to_server(facts_.offered, facts_.capabilities);
    facts_.collation_id = response->character_set;
    facts_.user = response->user;
    if (response->has_database) facts_.schema = response->database;
    // The server goes on with the plugin that the client names if it is the account's, and switches otherwise.
    const bool names_plugin = protocol::has(response->capabilities, capability::plugin_auth) &&
                              response->has_auth_plugin && !response->auth_plugin.empty();
    password_.use_plugin(names_plugin ? response->auth_plugin : std::string(protocol::native_password_plugin));
    answer_ = std::move(*response);
    if (server_wants_tls()) {
        send_ssl_request(to_client, to_server);
    } else {
        look_at_answer(to_client, to_server);
    }
}

// The level in the response becomes the one for the server.
bool connect_fsm::choose_compression(protocol::handshake_response& response) {
    facts_.client_compression = client_compression(rules_.compression, response.capabilities);
    if (facts_.client_compression == protocol::compression_algorithm::zstd) {
        facts_.client_zstd_level = response.has_zstd_level ? response.zstd_level : 0;
        if (facts_.client_zstd_level < 1 || facts_.client_zstd_level > protocol::zstd_level_max) return false;
    }
    response.has_zstd_level = facts_.server_compression == protocol::compression_algorithm::zstd;
    response.zstd_level = static_cast<std::uint8_t>(rules_.compression.server_zstd_level);
    return true;
}

void connect_fsm::on_ssl_request(byte_buffer& to_client) {
    if (!protocol::has(client_.capabilities, capability::ssl) || facts_.client_has_tls) {
        fail(bad_handshake("Bad handshake: the client asks for TLS, which was not offered"), to_client);
        return;
    }
    state_ = login_state::client_tls;
}

void connect_fsm::on_client_secured() {
    SLUICE_ASSERT(state_ == login_state::client_tls);
    client_.kind = transport_kind::tls;
    facts_.client_has_tls = true;
    state_ = login_state::response;
}

void connect_fsm::send_ssl_request(byte_buffer& to_client, byte_buffer& to_server) {
    if (!from_server_.idle()) {
        fail(bad_handshake("Unencrypted bytes behind the server's greeting"), to_client);
        return;
    }
    const auto& response = std::get<protocol::handshake_response>(*answer_);
    server_.capabilities |= capability::ssl;
    byte_buffer payload;
    protocol::serialise(payload,
                        protocol::ssl_request{response.capabilities | server_.capabilities, response.packet_size_max,
                                              response.character_set, response.reserved});
    send(side::server, payload, to_server);
    answer_due_ = false;
    state_ = login_state::server_tls;
}

void connect_fsm::on_server_secured(byte_buffer& to_client, byte_buffer& to_server) {
    SLUICE_ASSERT(state_ == login_state::server_tls);
    server_.kind = transport_kind::tls;
    facts_.server_has_tls = true;
    answer_due_ = true;
    look_at_answer(to_client, to_server);
}

}  // namespace sluice::session

#include "proxy/session/connect_fsm.hpp"

#include <algorithm>
#include <utility>

#include "protocol/message/ok.hpp"
#include "protocol/result.hpp"
#include "proxy/session/capability_filter.hpp"

namespace sluice::session {

using protocol::byte_buffer;
using protocol::byte_view;

namespace {

constexpr std::uint8_t err_byte = 0xFF;

protocol::err_packet bad_handshake(std::string message) { return {1043, "08S01", std::move(message)}; }

byte_buffer one_byte(std::uint8_t value) { return {static_cast<std::byte>(value)}; }

// The user in whose name an abandoned login is made to fail; it says to whoever reads the server's log what it was.
constexpr const char* abandoned_user = "client-left-before-login";

// Whether a response can be written under what both sides agree on. A client may have used a capability that the server
// did not offer, and its authentication data then has a form that the server would read as something else.
bool can_be_passed_on(const protocol::handshake_response& response) noexcept {
    const auto capabilities = response.capabilities;
    if (!protocol::has(capabilities, capability::protocol_41)) return false;
    if (protocol::has(capabilities, capability::plugin_auth_lenenc_data)) return true;
    if (protocol::has(capabilities, capability::secure_connection)) return response.auth_response.size() <= 0xFF;
    return response.auth_response.find('\0') == std::string::npos;
}

}  // namespace

connect_fsm::connect_fsm(login_rules rules)
    : rules_(std::move(rules)), from_server_(rules_.packet_bytes_max), from_client_(rules_.packet_bytes_max) {
    SLUICE_ASSERT(rules_.rsa_key != nullptr);
}

bool connect_fsm::over() const noexcept {
    return state_ == login_state::done || state_ == login_state::refused || state_ == login_state::failed ||
           state_ == login_state::abandoned;
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
    while (used < bytes.size() && !over()) {
        if (state_ == login_state::greeting) {
            fail(bad_handshake("the client spoke before the server"), to_client);
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
        default:
            // An ERR while the client's answer is due: out of time, or a shutdown.
            next_to_client_ = static_cast<std::uint8_t>(next_to_server_ - 1);
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
    plugin_ = greeting_.auth_plugin;
    facts_.offered = offered_capabilities(greeting_.capabilities);
    greeting_.capabilities = facts_.offered;
    byte_buffer changed;
    protocol::serialise(changed, greeting_);
    send(side::client, changed, to_client);
    answer_due_ = true;
    state_ = login_state::response;
}

void connect_fsm::on_client_packet(byte_view payload, byte_buffer& to_client, byte_buffer& to_server) {
    if (state_ == login_state::response) {
        on_response(payload, to_client, to_server);
    } else if (state_ == login_state::exchange) {
        if (full_authentication_) {
            on_full_authentication(payload, to_client, to_server);
        } else {
            send(side::server, payload, to_server);
        }
    }
}

void connect_fsm::on_response(byte_view payload, byte_buffer& to_client, byte_buffer& to_server) {
    if (protocol::is_ssl_request(payload)) {
        fail(bad_handshake("Bad handshake: the client asks for TLS, which was not offered"), to_client);
        return;
    }
    auto response = protocol::parse_handshake_response(payload);
    if (!response) {
        fail(bad_handshake("Bad handshake"), to_client);
        return;
    }
    response->capabilities = agreed_capabilities(greeting_.capabilities, response->capabilities);
    if (!can_be_passed_on(*response)) {
        fail(bad_handshake("Bad handshake: the client answers with a capability that was not offered"), to_client);
        return;
    }
    facts_.capabilities = response->capabilities;
    facts_.collation_id = response->character_set;
    facts_.user = response->user;
    if (response->has_database) facts_.schema = response->database;
    // The server goes on with the plugin that the client names if it is the account's, and switches otherwise.
    if (response->has_auth_plugin && !response->auth_plugin.empty()) plugin_ = response->auth_plugin;
    byte_buffer changed;
    protocol::serialise(changed, *response);
    send(side::server, changed, to_server);
    answer_due_ = false;
    state_ = login_state::exchange;
}

void connect_fsm::on_exchange_packet(byte_view payload, byte_buffer& to_client, byte_buffer& to_server) {
    const auto kind = payload.empty() ? protocol::auth_packet_kind::unknown
                                      : protocol::classify_auth_packet(std::to_integer<std::uint8_t>(payload.front()));
    if (server_key_due_) {
        server_key_due_ = false;
        if (kind == protocol::auth_packet_kind::more_data && take_server_key(payload, to_client, to_server)) return;
        if (state_ == login_state::failed) return;
    }
    send(side::client, payload, to_client);
    switch (kind) {
        case protocol::auth_packet_kind::ok:
            if (const auto ok = protocol::parse_ok(payload, facts_.capabilities)) facts_.status = ok->status;
            greeting_ = {};
            state_ = login_state::done;
            return;
        case protocol::auth_packet_kind::err: state_ = login_state::refused; return;
        case protocol::auth_packet_kind::switch_request:
            full_authentication_ = false;
            if (const auto wanted = protocol::parse_auth_switch_request(payload)) plugin_ = wanted->plugin;
            return;
        case protocol::auth_packet_kind::next_factor:
            full_authentication_ = false;
            if (const auto wanted = protocol::parse_auth_next_factor(payload)) plugin_ = wanted->plugin;
            return;
        case protocol::auth_packet_kind::more_data:
            full_authentication_ = plugin_ == protocol::caching_sha2_plugin && payload.size() == 2 &&
                                   payload[1] == std::byte{protocol::caching_sha2_full_auth};
            return;
        default: return;
    }
}

void connect_fsm::on_full_authentication(byte_view payload, byte_buffer& to_client, byte_buffer& to_server) {
    if (payload.size() == 1 && payload[0] == std::byte{protocol::caching_sha2_request_public_key}) {
        byte_buffer answer;
        protocol::serialise(answer, protocol::auth_more_data{rules_.rsa_key->public_pem()});
        send(side::client, answer, to_client);
        return;
    }
    full_authentication_ = false;
    auto masked = rules_.rsa_key->decrypt(protocol::as_text(payload));
    if (!masked) {
        // Not under our key: the client holds the server's own (--server-public-key-path), and the server can read it.
        send(side::server, payload, to_server);
        return;
    }
    masked_password_ = std::move(*masked);
    server_key_due_ = true;
    send(side::server, one_byte(protocol::caching_sha2_request_public_key), to_server);
}

bool connect_fsm::take_server_key(byte_view payload, byte_buffer& to_client, byte_buffer& to_server) {
    const auto more = protocol::parse_auth_more_data(payload);
    if (!more) return false;
    const auto key = protocol::rsa_public_key::from_pem(more->data);
    if (!key) {
        fail(bad_handshake("The server's public key is not understood: " + std::string(key.error().what)), to_client);
        return false;
    }
    const auto encrypted = key->encrypt(masked_password_);
    std::fill(masked_password_.begin(), masked_password_.end(), '\0');
    masked_password_.clear();
    if (!encrypted) {
        fail(bad_handshake("The password cannot be encrypted for the server"), to_client);
        return false;
    }
    send(side::server, protocol::as_bytes(*encrypted), to_server);
    return true;
}

void connect_fsm::begin_change_user(byte_view payload) {
    const auto change = protocol::parse_change_user(payload, facts_.capabilities);
    if (change) {
        facts_.user = change->user;
        facts_.schema = change->database;
        if (change->character_set) facts_.collation_id = *change->character_set;
        if (change->auth_plugin) plugin_ = *change->auth_plugin;
    }
    full_authentication_ = false;
    server_key_due_ = false;
    next_to_client_ = 1;
    next_to_server_ = 1;
    state_ = login_state::exchange;
}

bool connect_fsm::abandon(byte_buffer& to_server) {
    if (!answer_due_ || state_ == login_state::refused) return false;
    answer_due_ = false;
    protocol::handshake_response response;
    response.capabilities =
        facts_.offered & (capability::protocol_41 | capability::secure_connection | capability::plugin_auth);
    response.character_set = greeting_.character_set;
    response.user = abandoned_user;
    response.auth_plugin = greeting_.auth_plugin;
    byte_buffer payload;
    protocol::serialise(payload, response);
    send(side::server, payload, to_server);
    state_ = login_state::abandoning;
    return true;
}

void connect_fsm::on_abandoned_packet(byte_view payload, byte_buffer& to_server) {
    const auto kind = payload.empty() ? protocol::auth_packet_kind::unknown
                                      : protocol::classify_auth_packet(std::to_integer<std::uint8_t>(payload.front()));
    if (kind == protocol::auth_packet_kind::ok || kind == protocol::auth_packet_kind::err) {
        state_ = login_state::abandoned;
        return;
    }
    // Whatever the plugin asks: an empty answer, which no account takes unless it has no password at all.
    send(side::server, {}, to_server);
}

}  // namespace sluice::session

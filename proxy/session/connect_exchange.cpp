// The second half of connect_fsm: the authentication exchange, COM_CHANGE_USER, and logins that are given up.

#include <utility>

#include "protocol/auth/secret_text.hpp"
#include "protocol/message/ok.hpp"
#include "proxy/session/connect_fsm.hpp"
#include "proxy/session/handshake_check.hpp"

namespace sluice::session {

using protocol::byte_buffer;
using protocol::byte_view;
namespace capability = protocol::capability;

namespace {

// The user in whose name an abandoned login is made to fail; it says to whoever reads the server's log what it was.
constexpr const char* abandoned_user = "client-left-before-login";

}  // namespace

// The transports are settled: the authentication data of the client's first answer, or of COM_CHANGE_USER.
void connect_fsm::look_at_answer(byte_buffer& to_client, byte_buffer& to_server) {
    password_.set_transports(client_.kind, server_.kind);
    state_ = login_state::exchange;
    const auto& said = std::visit([](const auto& held) -> const std::string& { return held.auth_response; }, *answer_);
    follow(password_.on_client(said), protocol::as_bytes(said), to_client, to_server);
}

void connect_fsm::send_answer(byte_buffer& to_server) {
    byte_buffer payload;
    if (auto* response = std::get_if<protocol::handshake_response>(&*answer_)) {
        response->capabilities |= server_.capabilities;
        introduction_.introduce(*response);
        protocol::serialise(payload, *response);
    } else {
        auto& change = std::get<protocol::change_user>(*answer_);
        introduction_.introduce(change);
        protocol::serialise(payload, change, facts_.capabilities | (server_.capabilities & capability::connect_attrs));
    }
    std::visit([](auto& held) { protocol::wipe(held.auth_response); }, *answer_);
    answer_.reset();
    send(side::server, payload, to_server);
    answer_due_ = false;
}

void connect_fsm::follow(const password_step& step, byte_view payload, byte_buffer& to_client, byte_buffer& to_server) {
    switch (step.what) {
        case password_step::kind::fail: fail(bad_handshake(step.payload), to_client); return;
        case password_step::kind::to_client: {
            byte_buffer key;
            protocol::serialise(key, protocol::auth_more_data{step.payload});
            send(side::client, key, to_client);
            client_turn_ = true;
            return;
        }
        case password_step::kind::to_server: payload = protocol::as_bytes(step.payload); break;
        case password_step::kind::pass: break;
    }
    if (!answer_) {
        send(side::server, payload, to_server);
        return;
    }
    // A key or a password of another length than what stood there must still fit.
    auto said = protocol::to_string(payload);
    std::visit([&](auto& held) { held.auth_response.swap(said); }, *answer_);
    protocol::wipe(said);
    const auto* response = std::get_if<protocol::handshake_response>(&*answer_);
    const auto size = std::visit([](const auto& held) { return held.auth_response.size(); }, *answer_);
    if (response != nullptr ? !can_be_passed_on(*response) : size > 0xFF) {
        fail(bad_handshake("Bad handshake: the password does not fit"), to_client);
        return;
    }
    send_answer(to_server);
}

void connect_fsm::on_exchange_packet(byte_view payload, byte_buffer& to_client, byte_buffer& to_server) {
    using kind = protocol::auth_packet_kind;
    const auto what = payload.empty() ? kind::unknown
                                      : protocol::classify_auth_packet(std::to_integer<std::uint8_t>(payload.front()));
    bool asks = true;
    if (what == kind::more_data) {
        auto step = password_.on_more_data(protocol::as_text(payload.subspan(1)));
        if (step.what != password_step::kind::pass) return follow(step, payload, to_client, to_server);
        asks = !password_.awaits_server();
    } else if (what == kind::switch_request) {
        if (const auto wanted = protocol::parse_auth_switch_request(payload)) {
            // The old form brings none: the greeting's is meant.
            if (wanted->is_old_form) {
                password_.use_plugin(wanted->plugin);
            } else {
                password_.begin(wanted->plugin, wanted->scramble());
            }
        }
    } else if (what == kind::next_factor) {
        if (const auto wanted = protocol::parse_auth_next_factor(payload)) {
            std::string_view scramble = wanted->data;
            if (scramble.ends_with('\0')) scramble.remove_suffix(1);
            password_.begin(wanted->plugin, scramble);
        }
    }
    send(side::client, payload, to_client);
    client_turn_ = asks;
    if (what == kind::ok) {
        if (const auto ok = protocol::parse_ok(payload, facts_.capabilities)) facts_.status = ok->status;
        greeting_ = {};
        password_.end();
        state_ = login_state::done;
    } else if (what == kind::err) {
        password_.end();
        state_ = login_state::refused;
    }
}

void connect_fsm::begin_change_user(byte_view payload, byte_buffer& to_client, byte_buffer& to_server) {
    next_to_client_ = 1;
    next_to_server_ = 0;
    client_turn_ = false;
    state_ = login_state::exchange;
    auto change = protocol::parse_change_user(payload, facts_.capabilities);
    if (!change) {
        // The server will say what it thinks of it.
        password_.end();
        send(side::server, payload, to_server);
        return;
    }
    facts_.user = change->user;
    facts_.schema = change->database;
    if (change->character_set) facts_.collation_id = *change->character_set;
    password_.use_plugin(change->auth_plugin.value_or(std::string(protocol::native_password_plugin)));
    answer_ = std::move(*change);
    look_at_answer(to_client, to_server);
}

bool connect_fsm::abandon(byte_buffer& to_server) {
    if (!answer_due_ || state_ == login_state::refused) return false;
    answer_due_ = false;
    protocol::handshake_response response;
    response.capabilities =
        facts_.offered & (capability::protocol_41 | capability::secure_connection | capability::plugin_auth);
    response.character_set = greeting_.character_set;
    response.capabilities |= server_.capabilities & capability::ssl;
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

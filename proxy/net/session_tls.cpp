// A session's TLS handshakes: begun when the login asks for one, carried on whenever the socket is ready for it.

#include <spdlog/spdlog.h>

#include "proxy/net/session_driver.hpp"

namespace sluice::proxy {

using session::core_next;
using session::core_phase;
using session::login_state;

namespace {

// See session_life.cpp: the number of servers that cannot be reached.
constexpr std::uint16_t error_server_tls = 1429;

}  // namespace

bool session_driver::look_at_tls() {
    if (ended_) return false;
    if (ending_) {
        client_.securing = server_.securing = false;
        return false;
    }
    for (const auto which : {side::client, side::server}) {
        auto& one = at(which);
        if (!one.securing) continue;
        // Only what the wait has announced is read: the TLS layer reads ahead, and a wait that is still out would never
        // announce what it has taken.
        if (one.handshake == handshake_step::wants_read && one.read_waits) return false;
        one.handshake = one.stream.continue_handshake();
        if (one.handshake == handshake_step::wants_read || one.handshake == handshake_step::wants_write) return false;
        one.securing = false;
        if (one.handshake == handshake_step::done) {
            on_handshake_done(which);
        } else {
            on_handshake_failed(which);
        }
        return true;
    }
    if (core_.phase() != core_phase::login) return false;
    switch (core_.login().state()) {
        case login_state::client_tls: return begin_handshake(side::client);
        case login_state::server_tls: return begin_handshake(side::server);
        default: return false;
    }
}

bool session_driver::begin_handshake(side with) {
    auto& one = at(with);
    if (one.has_own()) return false;  // the request for it has yet to go
    if (one.has_unread()) {
        core_.fail_login({1043, "08S01", "Bad handshake: unencrypted bytes in front of the TLS handshake"});
        take_own_bytes();
        return true;
    }
    const auto contexts = home_.surroundings().tls.contexts();
    one.stream.begin_tls(with == side::client ? contexts.clients : contexts.server);
    one.securing = true;
    one.handshake = handshake_step::wants_write;  // it may have the first word
    return true;
}

void session_driver::on_handshake_done(side with) {
    const auto& tls = *at(with).stream.tls();
    spdlog::debug("client {}: {} with the {}{}", client_address_, tls.version(),
                  with == side::client ? "client" : "server", tls.resumed() ? ", resumed" : "");
    if (with == side::client) {
        core_.on_client_secured();
        return;
    }
    core_.on_server_secured(std::chrono::steady_clock::now());
    take_own_bytes();
    if (client_.next == core_next::stalled) client_.fresh = true;
    on_login_progress();
}

void session_driver::on_handshake_failed(side with) {
    const auto& reason = at(with).stream.tls()->failure();
    if (with == side::client) {
        core_.fail_login({1043, "08S01", "TLS handshake with the client: " + reason});
        return;
    }
    const auto text = unreachable_text(home_.surroundings().options, "TLS: " + reason);
    spdlog::warn("client {}: {}", client_address_, text);
    core_.fail_login({error_server_tls, "HY000", text});
    take_own_bytes();
}

}  // namespace sluice::proxy

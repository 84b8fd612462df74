// A session's beginning and end: the connection to the server, limits of time, who hangs up on whom.

#include <spdlog/spdlog.h>
#include <boost/asio/post.hpp>

#include "proxy/net/session_driver.hpp"

namespace sluice::proxy {

namespace asio = boost::asio;
using session::core_next;
using session::core_phase;

namespace {

constexpr std::chrono::milliseconds linger_limit{60'000};  // for the server to notice that its client has gone
constexpr std::chrono::milliseconds goodbye_limit{2'000};  // for the other side to hang up after we have

// ER_CONNECT_TO_FOREIGN_DATA_SOURCE. The client library's own 2003 would say it better, but MariaDB's library takes a
// packet with an error number of its own range for a malformed one and shows no text.
constexpr std::uint16_t error_server_unreachable = 1429;

session::relay_rules relay_rules_for(io_thread& home) {
    session::relay_rules rules = home.surroundings().relay;
    rules.meter = &home.meter();
    return rules;
}

}  // namespace

session_driver::session_driver(io_thread& home, stream_socket client, std::uint64_t ticket)
    : home_(home),
      ticket_(ticket),
      origin_(remote_address(client)),
      reached_(local_address(client)),
      on_unix_socket_(reached_.kind == protocol::stream_kind::local_socket),
      client_address_(to_text(origin_)),
      client_(std::move(client)),
      server_(stream_socket(home.context())),
      core_(home.shard(), home.surroundings().login, relay_rules_for(home)),
      timer_(home.context()),
      accepted_at_(std::chrono::steady_clock::now()) {
    client_.is_open = true;
    core_.set_client(client_address_);
    core_.relay().set_ticket(ticket);
    home_.shard().join(core_.relay());
}

session_driver::~session_driver() = default;

void session_driver::start() {
    guarded([&] {
        enter();
        turn();
    });
}

void session_driver::on_connected(upstream_result outcome) {
    upstream_.reset();
    if (ended_) return;
    if (outcome.error) {
        note_unreachable();
        spdlog::warn("client {}: {}", client_address_, outcome.message);
        fail_login(error_server_unreachable, "HY000", outcome.message);
        return;
    }
    server_.stream.adopt(std::move(outcome.socket));
    server_.is_open = true;
    set_limit(limit::greeting, home_.surroundings().options.connect_limit);
    introduce_client();
    turn();
}

void session_driver::on_login_progress() {
    if (limit_ == limit::greeting && core_.login().state() != session::login_state::greeting) {
        set_limit(limit::login, home_.surroundings().options.login_limit);
    }
    if (!core_.logged_in_once() || !in_login_count_) return;
    leave_login_count();
    set_limit(limit::none, {});
    begin_compression();
    const auto& facts = core_.login().facts();
    spdlog::debug("session {}: user {} from {}", facts.connection_id, facts.user, client_address_);
}

void session_driver::leave_login_count() {
    if (in_login_count_) --home_.surroundings().counters.sessions_in_login;
    in_login_count_ = false;
}

void session_driver::count_statements() noexcept {
    const auto now = core_.relay().statements();
    if (now == statements_counted_) return;
    home_.count_statements(now - statements_counted_);
    statements_counted_ = now;
}

void session_driver::note_unreachable() noexcept {
    unreachable_ = true;
    ++home_.surroundings().counters.server_unreachable;
}

void session_driver::fail_login(std::uint16_t number, const char* sql_state, std::string message) {
    core_.fail_login({number, sql_state, std::move(message)});
    take_own_bytes();
    turn();
}

// After a turn: what its end means for the two connections.
void session_driver::settle() {
    if (ended_) return;
    if (core_.phase() == core_phase::ended && (!ending_ || server_is_told_)) begin_ending();
    if (client_.at_end && client_.is_open) on_client_end();
    if (ended_) return;
    if (server_.at_end && server_.is_open && server_.approved == 0 && (!server_.has_unread() || ending_)) {
        close_side(side::server);
        server_is_told_ = false;
        if (!ending_) begin_ending();
    }
    if (!ending_ && home_.draining() && quiet()) {
        if (core_.phase() == core_phase::commands) {
            core_.say_goodbye({1053, "08S01", "Server shutdown in progress"});
        } else {
            core_.fail_login({1053, "08S01", "Server shutdown in progress"});
        }
        take_own_bytes();
        begin_ending();
    }
    if (ending_ && client_.is_open && !client_shut_ && server_.approved == 0 && !client_.has_own()) {
        client_shut_ = true;
        shut_down(side::client);
        if (!client_.at_end) set_limit(limit::linger, goodbye_limit);
    }
    if (ending_ && client_.is_open && client_.at_end) close_side(side::client);
    if (ending_ && !server_is_told_ && server_.is_open) close_side(side::server);
    if (!client_.is_open && !server_.is_open && !upstream_) close("over");
}

// Nothing more is relayed. Words of Sluice's or the server's that are under way to the client still reach it.
void session_driver::begin_ending() {
    if (core_.phase() == core_phase::ended && server_is_told_) {
        server_is_told_ = false;
        return;
    }
    ending_ = true;
    if (core_.relay().held()) home_.shard().abandon(core_.relay());
    if (upstream_) {
        upstream_->cancel();
        upstream_.reset();
    }
    if (in_login_count_ && !unreachable_) {
        ++home_.surroundings().counters.logins_failed;
        if (!core_.login().failure().empty()) {
            spdlog::info("client {}: login failed: {}", client_address_, core_.login().failure());
        }
    }
    leave_login_count();
    if (server_.is_open && !server_.at_end && core_.abandon_login()) {
        server_is_told_ = true;
        take_own_bytes();
        server_.next = core_next::more;
    }
    client_.begin = client_.end;
    client_.approved = 0;
    set_limit(limit::linger, server_is_told_ ? goodbye_limit : linger_limit);
}

void session_driver::on_client_end() {
    if (ending_) return;
    // A server counts what ends before it has greeted, or in its TLS handshake, against Sluice's address. That takes no
    // long time, and it has limits; then abandon_login() ends it politely.
    if (server_.is_open && limit_ != limit::none && !core_.logged_in_once() &&
        (core_.login().state() == session::login_state::greeting || server_.securing)) {
        return;
    }
    if (core_.phase() != core_phase::commands || client_.next == core_next::held) {
        begin_ending();
        close_side(side::client);
        return;
    }
    // Whole commands that it had sent are still done; the server ends the session when it sees the end itself.
    if (client_.approved != 0 || server_.has_own() || server_shut_) return;
    server_shut_ = true;
    shut_down(side::server);
    set_limit(limit::linger, linger_limit);
}

bool session_driver::client_has_gone() noexcept {
    if (!client_.is_open) return true;
    return client_.stream.peer_has_gone();
}

bool session_driver::quiet() const noexcept {
    if (core_.phase() == core_phase::login) return !core_.logged_in_once();
    const auto& relay = core_.relay();
    return relay.idle() && !relay.in_transaction() && !relay.holds_locks() && !relay.held() && !client_.has_unread() &&
           !server_.has_unread();
}

void session_driver::on_draining() {
    guarded([&] { turn(); });
}

void session_driver::shut_down(side which) { at(which).stream.shutdown_send(); }

void session_driver::close_side(side which) {
    auto& one = at(which);
    if (!one.is_open) return;
    one.is_open = false;
    one.stream.close();
    flush(which);
}

void session_driver::close(const char* reason) {
    if (ended_) return;
    ended_ = true;
    spdlog::debug("session {}: ends: {}", core_.login().facts().connection_id, reason);
    leave_login_count();
    if (upstream_) upstream_->cancel();
    upstream_.reset();
    timer_.cancel();
    client_.stream.close();
    server_.stream.close();
    client_.is_open = server_.is_open = false;
    home_.shard().leave(core_.relay());
    --home_.surroundings().counters.sessions;
    // Not here and now: the caller may be in the middle of a turn, or of a walk over the sessions.
    asio::post(home_.context(), [self = shared_from_this()] {
        self->home_.after_turn();
        self->home_.forget(self->ticket_);
    });
}

void session_driver::set_limit(limit kind, std::chrono::milliseconds after) {
    limit_ = kind;
    if (kind == limit::none || ended_) {
        timer_.cancel();
        return;
    }
    timer_.expires_after(after);
    timer_.async_wait([self = shared_from_this()](const error_code& error) {
        if (error || self->ended_) return;
        self->guarded([&] { self->on_limit(); });
    });
}

void session_driver::on_limit() {
    const auto& options = home_.surroundings().options;
    switch (std::exchange(limit_, limit::none)) {
        case limit::greeting:
            note_unreachable();
            fail_login(error_server_unreachable, "HY000", unreachable_text(options, "no greeting in time"));
            return;
        case limit::login:
            fail_login(1159, "08S01", "Got timeout reading communication packets: login not finished in time");
            return;
        case limit::hangup_check:
            if (!core_.relay().held()) return;
            if (client_has_gone()) return close("the client has gone while its statement was held");
            set_limit(limit::hangup_check, hangup_check_interval);
            return;
        case limit::linger: close("nobody hung up in time"); return;
        case limit::none: return;
    }
}

session_view session_driver::view() const {
    session_view view;
    const auto& facts = core_.login().facts();
    view.connection_id = facts.connection_id;
    view.user = facts.user;
    view.client = client_address_;
    view.statements = core_.relay().statements();
    view.age = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - accepted_at_);
    view.in_transaction = core_.relay().in_transaction();
    view.schema = core_.relay().text().schema();
    if (const auto* tls = client_.stream.tls()) view.client_tls = tls->version();
    if (const auto* tls = server_.stream.tls()) view.server_tls = tls->version();
    if (ending_) {
        view.state = "closing";
    } else if (core_.phase() == core_phase::login) {
        view.state = facts.connection_id == 0 ? "connecting" : "login";
    } else if (core_.relay().held()) {
        view.state = "held";
    } else {
        view.state = core_.relay().idle() ? "idle" : "running";
    }
    return view;
}

}  // namespace sluice::proxy

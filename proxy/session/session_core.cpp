#include "proxy/session/session_core.hpp"

#include "protocol/message/statement_command.hpp"

namespace sluice::session {

using protocol::byte_view;

namespace {

core_next next_of(client_next next) noexcept {
    switch (next) {
        case client_next::again:
        case client_next::refused: return core_next::again;
        case client_next::partial: return core_next::partial;
        case client_next::stalled: return core_next::stalled;
        case client_next::held: return core_next::held;
        case client_next::answer: return core_next::answer;
        default: return core_next::more;
    }
}

}  // namespace

core_step session_core::on_client(byte_view unread, time_point now) {
    if (phase_ == core_phase::ended) return {0, unread.size(), core_next::ended};
    if (phase_ == core_phase::login) {
        const auto used = login_.on_client(unread, to_client_, to_server_);
        look_at_login(now);
        return login_step(used, unread.size());
    }
    const auto step = relay_.on_client(unread, now);
    core_step core{step.forward, step.drop, next_of(step.next), step.marks};
    if (step.next == client_next::refused) {
        protocol::append_err_reply(to_client_, relay_.refusal(), relay_.capabilities(), relay_.refusal_sequence());
    }
    if (step.reset_statement) {
        protocol::byte_buffer reset;
        protocol::serialise_stmt_reset(reset, *step.reset_statement);
        protocol::append_framed(to_server_, reset, 0);
    }
    if (step.next == client_next::authentication) {
        // It may carry a password, so it goes on as the login writes it. What the client has sent behind it, now or
        // later, waits until the server asks for it, or has ended the exchange.
        const auto payload = relay_.change_user();
        core.drop = protocol::frame_header_size + payload.size();
        core.forward -= core.drop;
        phase_ = core_phase::login;
        before_change_ = login_.facts();
        before_change_.schema = relay_.text().schema();
        login_.begin_change_user(payload, to_client_, to_server_);
        look_at_login(now);
        if (phase_ == core_phase::ended) return {core.forward, unread.size() - core.forward, core_next::ended};
        if (core.forward + core.drop < unread.size()) core.next = core_next::stalled;
    }
    return core;
}

void session_core::on_client_secured() { login_.on_client_secured(); }

void session_core::on_server_secured(time_point now) {
    login_.on_server_secured(to_client_, to_server_);
    look_at_login(now);
}

core_step session_core::on_server(byte_view unread, time_point now) {
    if (phase_ == core_phase::ended) return {0, unread.size(), core_next::ended};
    if (phase_ == core_phase::login) {
        const auto used = login_.on_server(unread, to_client_, to_server_);
        look_at_login(now);
        return login_step(used, unread.size());
    }
    const auto step = relay_.on_server(unread, now);
    if (!step.refused) {
        const bool all = step.forward + step.drop == unread.size();
        return {step.forward, step.drop, all ? core_next::more : core_next::again, step.marks};
    }
    phase_ = core_phase::ended;
    refused_file_ = true;
    if (step.refused_sequence) {
        constexpr std::uint16_t error_not_allowed = 1148;  // ER_NOT_ALLOWED_COMMAND, of LOAD DATA LOCAL among others
        protocol::append_err_reply(to_client_,
                                   {error_not_allowed, "42000",
                                    "The server has asked for a local file that the statement does not load; Sluice "
                                    "refuses it and ends the session"},
                                   relay_.capabilities(), *step.refused_sequence);
    }
    return {step.forward, unread.size() - step.forward, core_next::ended, step.marks};
}

core_step session_core::login_step(std::size_t used, std::size_t there) const noexcept {
    if (phase_ == core_phase::ended) return {0, there, core_next::ended};
    core_step step{0, used, used < there ? core_next::stalled : core_next::more};
    step.marks.login = used != 0;
    return step;
}

void session_core::look_at_login(time_point now) {
    switch (login_.state()) {
        case login_state::done:
            phase_ = core_phase::commands;
            logged_in_once_ = true;
            relay_.begin(login_.facts(), client_, now);
            return;
        case login_state::refused:
            if (logged_in_once_) {
                // A COM_CHANGE_USER: MySQL hangs up after its ERR, MariaDB goes on with the user of before, whose
                // session it has reset.
                phase_ = core_phase::commands;
                login_.keep_user(before_change_);
                relay_.begin(before_change_, client_, now);
                return;
            }
            [[fallthrough]];
        case login_state::failed:
        case login_state::abandoned: phase_ = core_phase::ended; return;
        default: return;
    }
}

void session_core::answer(const protocol::text_resultset& rows) {
    protocol::append_text_resultset(to_client_, rows, relay_.capabilities(), relay_.status(), 1);
    relay_.answered();
}

void session_core::answer(const protocol::err_packet& error) {
    protocol::append_err_reply(to_client_, error, relay_.capabilities(), 1);
    relay_.answered();
}

void session_core::answer_done(std::string_view info) {
    protocol::ok_packet ok;
    ok.affected_rows = 1;
    ok.status = relay_.status();
    // The status of the last reply, without what it said of that reply alone.
    ok.status = static_cast<protocol::status_flags>(
        ok.status & ~(protocol::server_status::more_results_exist | protocol::server_status::session_state_changed));
    ok.info = info;
    protocol::append_ok_reply(to_client_, ok, relay_.capabilities(), 1);
    relay_.answered();
}

void session_core::fail_login(const protocol::err_packet& error) {
    login_.fail(error, to_client_);
    phase_ = core_phase::ended;
}

bool session_core::abandon_login() {
    const bool server_is_told = login_.abandon(to_server_);
    phase_ = server_is_told ? core_phase::login : core_phase::ended;
    return server_is_told;
}

void session_core::say_goodbye(const protocol::err_packet& error) {
    protocol::append_err_reply(to_client_, error, relay_.capabilities(), 0);
    phase_ = core_phase::ended;
}

}  // namespace sluice::session

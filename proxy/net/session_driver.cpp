#include "proxy/net/session_driver.hpp"

#include <spdlog/spdlog.h>
#include <boost/asio/post.hpp>
#include <cstring>

#include "protocol/auth/secret_text.hpp"

namespace sluice::proxy {

namespace asio = boost::asio;
using protocol::byte_view;
using session::core_next;
using session::core_phase;

namespace {

protocol::text_resultset to_resultset(const show_answer& answer) {
    protocol::text_resultset set;
    for (const auto& name : answer.columns) set.columns.push_back({name, protocol::text_column_type::varchar});
    set.rows = answer.rows;
    return set;
}

}  // namespace

void session_driver::on_exception(const std::exception& failure) noexcept {
    spdlog::error("session {}: closed after: {}", core_.login().facts().connection_id, failure.what());
    close("an error inside Sluice");
}

// Everything that can be done without waiting; then the waits for what cannot.
void session_driver::turn() {
    if (ended_ || in_turn_) return;
    in_turn_ = true;
    while (look(side::server) || look(side::client) || look_at_tls()) {
    }
    settle();
    if (!ended_) arm();
    in_turn_ = false;
    count_statements();
    home_.after_turn();
}

bool session_driver::look(side from) {
    auto& in = at(from);
    if (ended_ || !in.fresh || in.approved != 0 || in.drop != 0 || at(other(from)).blocked) return false;
    in.fresh = false;
    if (!in.has_unread()) return false;
    if (from == side::client && header_due_) return look_at_header();
    const byte_view unread(in.buffer->data() + in.begin, in.end - in.begin);
    const auto now = std::chrono::steady_clock::now();
    const bool had_ended = core_.phase() == core_phase::ended;
    const auto step = from == side::client ? core_.on_client(unread, now) : core_.on_server(unread, now);
    if (!had_ended && core_.refused_file()) {
        spdlog::warn("session {}: closed, as the server has asked for a local file that the statement does not load",
                     core_.login().facts().connection_id);
    }
    in.approved = step.forward;
    in.drop = step.drop;
    in.next = step.next == core_next::again ? core_next::more : step.next;
    in.fresh = step.next == core_next::again;
    if (sequence_) number_frames(from, step.marks);
    flush(other(from));
    take_own_bytes();
    // Each side's bytes may be what the other's waited for.
    auto& opposite = at(other(from));
    if (opposite.next == core_next::stalled) opposite.fresh = true;
    if (core_.phase() == core_phase::login || in_login_count_) on_login_progress();
    if (step.next == core_next::answer) ask_for_answer();
    return true;
}

void session_driver::take_own_bytes() {
    for (const auto which : {side::client, side::server}) {
        auto& made = which == side::client ? core_.to_client() : core_.to_server();
        if (made.empty()) continue;
        auto& own = at(which).own;
        own.insert(own.end(), made.begin(), made.end());
        if (core_.phase() == core_phase::login) protocol::wipe(std::span(made));
        made.clear();
        flush(which);
    }
}

void session_driver::flush(side to) {
    auto& out = at(to);
    auto& in = at(other(to));
    if (out.securing) return;
    while (in.approved != 0 || out.has_own()) {
        if (!out.is_open) {  // nobody is there to read it
            in.begin += in.approved;
            in.approved = 0;
            out.own.clear();
            out.own_sent = 0;
            break;
        }
        const byte_view passed(in.buffer ? in.buffer->data() + in.begin : nullptr, in.approved);
        const auto written = out.stream.write_some(passed, byte_view(out.own).subspan(out.own_sent));
        if (written.status == io_status::later) {
            out.blocked = true;
            return;
        }
        if (written.status == io_status::closed) {
            if (to == side::server) return close("the server has gone");
            if (core_.logged_in_once()) return close("the client has gone");
            out.at_end = true;  // on_client_end() does not leave the server without a word
            out.own = {};
            out.own_sent = 0;
            break;
        }
        const auto of_slice = std::min(written.size, in.approved);
        in.begin += of_slice;
        in.approved -= of_slice;
        out.own_sent += written.size - of_slice;
    }
    out.blocked = false;
    if (!out.has_own() && !out.own.empty()) {
        if (core_.phase() == core_phase::login) protocol::wipe(std::span(out.own));
        out.own = {};
        out.own_sent = 0;
    }
    in.begin += in.drop;
    in.drop = 0;
}

bool session_driver::wants_read(side from) noexcept {
    const auto& in = at(from);
    if (in.securing) return in.is_open && in.handshake == handshake_step::wants_read;
    if (!in.is_open || in.at_end || in.approved != 0 || at(other(from)).blocked) return false;
    if (ending_) return from == side::client ? client_shut_ : server_is_told_;
    if (in.next == core_next::held) return !hangup_unseen_;
    return in.next == core_next::more || in.next == core_next::partial;
}

void session_driver::arm() {
    for (const auto which : {side::client, side::server}) {
        auto& one = at(which);
        if (one.buffer && !one.has_unread()) {
            // It may have held a password, and goes to the next session.
            if (core_.phase() == core_phase::login) protocol::wipe(std::span(*one.buffer).first(one.end));
            home_.buffers().give_back(std::move(one.buffer));
            one.begin = one.end = 0;
        }
        if (!one.read_waits && wants_read(which)) wait_readable(which);
        const bool writes = one.securing ? one.handshake == handshake_step::wants_write : one.blocked;
        if (!one.write_waits && one.is_open && writes) wait_writable(which);
    }
}

void session_driver::wait_readable(side from) {
    auto& in = at(from);
    in.read_waits = true;
    auto ready = [self = shared_from_this(), from](const error_code& error) {
        self->at(from).read_waits = false;
        if (self->ended_ || error == asio::error::operation_aborted) return;
        self->guarded([&] { self->on_readable(from); });
    };
    if (in.stream.has_pending()) {
        asio::post(home_.context(), [ready = std::move(ready)] { ready({}); });
    } else {
        in.stream.async_wait(stream_socket::wait_read, std::move(ready));
    }
}

void session_driver::wait_writable(side to) {
    at(to).write_waits = true;
    at(to).stream.async_wait(stream_socket::wait_write, [self = shared_from_this(), to](const error_code& error) {
        self->at(to).write_waits = false;
        if (self->ended_ || error == asio::error::operation_aborted) return;
        self->guarded([&] { self->on_writable(to); });
    });
}

void session_driver::on_readable(side from) {
    // What was wanted when the wait began may not be wanted any more; it is asked for again when it is. The handshake
    // of TLS reads by itself.
    if (wants_read(from) && !at(from).securing) {
        if (from == side::client && client_.next == core_next::held && !ending_) {
            if (client_has_gone()) return close("the client has gone while its statement was held");
            hangup_unseen_ = true;
            set_limit(limit::hangup_check, hangup_check_interval);
        } else {
            read(from);
        }
    }
    turn();
}

void session_driver::on_writable(side to) {
    flush(to);
    turn();
}

void session_driver::read(side from) {
    auto& in = at(from);
    if (!in.buffer) {
        in.buffer = home_.buffers().borrow();
        in.begin = in.end = 0;
    }
    if (in.begin != 0) {
        std::memmove(in.buffer->data(), in.buffer->data() + in.begin, in.end - in.begin);
        in.end -= in.begin;
        in.begin = 0;
    }
    SLUICE_ASSERT(in.end < in.buffer->size());
    auto room = std::span(*in.buffer).subspan(in.end);
    if (from == side::client && core_.phase() == core_phase::login) {
        room = room.first(std::min(room.size(), core_.login().client_bytes_max()));
    }
    const auto got = in.stream.read_some(room);
    if (got.status == io_status::later) return;
    if (got.status == io_status::closed) {
        in.at_end = true;
        return;
    }
    if (ending_ && from == side::client) return;  // said after we had hung up
    in.end += got.size;
    in.fresh = true;
}

void session_driver::ask_for_answer() {
    home_.count_answer();
    auto self = shared_from_this();
    const bool may_command = home_.surroundings().operators.contains(core_.login().facts().user, origin_);
    home_.surroundings().ask(core_.relay().pending_show(), may_command, [self](show_answer answer) {
        asio::post(self->home_.context(),
                   [self, answer = std::move(answer)] { self->guarded([&] { self->on_answer(answer); }); });
    });
}

void session_driver::on_answer(const show_answer& answer) {
    if (ended_ || ending_) return;
    if (answer.error) {
        core_.answer(protocol::err_packet{answer.error->number, answer.error->sql_state, answer.error->message});
    } else if (answer.done) {
        core_.answer_done(*answer.done);
    } else {
        core_.answer(to_resultset(answer));
    }
    take_own_bytes();
    client_.next = core_next::more;
    client_.fresh = true;
    turn();
}

void session_driver::on_released() {
    guarded([&] {
        if (ended_) return;
        if (client_has_gone()) return close("the client has gone while its statement was held");
        hangup_unseen_ = false;
        core_.relay().on_released();
        client_.next = core_next::more;
        client_.fresh = true;
        turn();
    });
}

}  // namespace sluice::proxy

#pragma once

// A whole session without its sockets: the login, then commands, and the login again at COM_CHANGE_USER. Its owner
// moves bytes: what a step forwards goes on as it is, what stands in to_client() and to_server() goes there after the
// bytes forwarded before. One thread.

#include <string>
#include <utility>

#include "protocol/message/text_resultset.hpp"
#include "proxy/session/connect_fsm.hpp"
#include "proxy/session/relay_fsm.hpp"

namespace sluice::session {

enum class core_next : std::uint8_t {
    more,     ///< everything has been taken
    again,    ///< call again with the rest when what goes on has gone
    partial,  ///< keep the rest, and add to it
    stalled,  ///< keep the rest; call again when resumable() or after a step of the other side
    held,     ///< keep the rest until the shard releases relay(), then tell it and call again
    answer,   ///< a statement for Sluice: relay().pending_show(); see answer()
    ended,    ///< flush both sides and hang up
};

struct core_step {
    std::size_t forward = 0;  ///< first so many bytes go to the other side
    std::size_t drop = 0;     ///< so many behind them have been used up
    core_next next = core_next::more;
    turn_marks marks{};  ///< compressed sessions only: see frame_sequence
};

enum class core_phase : std::uint8_t { login, commands, ended };

class session_core {
public:
    session_core(gate_shard& shard, login_rules login, relay_rules relay)
        : login_(std::move(login)), relay_(shard, relay) {}

    /// `client` is the client's address, as it is shown to operators.
    void set_client(std::string client) { client_ = std::move(client); }
    /// See connect_fsm::set_client().
    void introduce_client(bool is_local, client_introduction introduction) {
        login_.set_client(is_local, std::move(introduction));
    }

    [[nodiscard]] core_step on_client(protocol::byte_view unread, time_point now);
    [[nodiscard]] core_step on_server(protocol::byte_view unread, time_point now);

    /// The login has asked for it (login_state::client_tls, server_tls), and the handshake is done.
    void on_client_secured();
    void on_server_secured(time_point now);

    /// Bytes of Sluice's own making; the owner takes them away.
    [[nodiscard]] protocol::byte_buffer& to_client() noexcept { return to_client_; }
    [[nodiscard]] protocol::byte_buffer& to_server() noexcept { return to_server_; }

    /// The answer to a pending SHOW. Later commands of the client may go on.
    void answer(const protocol::text_resultset& rows);
    void answer(const protocol::err_packet& error);
    /// The same by an OK. info: for people, kept short.
    void answer_done(std::string_view info);

    /// Ends a login from Sluice's side. The phase becomes ended.
    void fail_login(const protocol::err_packet& error);
    /// The client has gone. True when the server is still to be told (see connect_fsm::abandon): then its bytes are to
    /// be fed until the phase is ended.
    [[nodiscard]] bool abandon_login();
    /// An ERR that nobody asked for, for an idle client before hanging up. The phase becomes ended.
    void say_goodbye(const protocol::err_packet& error);

    [[nodiscard]] core_phase phase() const noexcept { return phase_; }
    /// The server has asked for a file that no statement of the client loads: why the phase is ended.
    [[nodiscard]] bool refused_file() const noexcept { return refused_file_; }
    [[nodiscard]] bool logged_in_once() const noexcept { return logged_in_once_; }
    [[nodiscard]] const connect_fsm& login() const noexcept { return login_; }
    [[nodiscard]] relay_fsm& relay() noexcept { return relay_; }
    [[nodiscard]] const relay_fsm& relay() const noexcept { return relay_; }

private:
    void look_at_login(time_point now);
    [[nodiscard]] core_step login_step(std::size_t used, std::size_t there) const noexcept;

    connect_fsm login_;
    relay_fsm relay_;
    std::string client_;
    protocol::byte_buffer to_client_;
    protocol::byte_buffer to_server_;
    core_phase phase_ = core_phase::login;
    bool logged_in_once_ = false;
    bool refused_file_ = false;
    login_facts before_change_;  // while a COM_CHANGE_USER is under way
};

}  // namespace sluice::session

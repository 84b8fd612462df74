#pragma once

// The command phase: which of the client's bytes may go on to the server now, and what the server's bytes say about the
// session. Bytes are passed on as they are; the client's are looked at command by command before they go, the server's
// while they pass.
//
// When the server's stream can no longer be followed (a protocol that Sluice does not know), the session is relayed
// blindly: it is never held, and counts as using every watched table. One thread; its seat must be joined to the shard
// by the owner.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/session/command_reading.hpp"
#include "proxy/session/connect_fsm.hpp"
#include "proxy/session/frame_sequence.hpp"
#include "proxy/session/gate_shard.hpp"
#include "proxy/session/hold_policy.hpp"
#include "proxy/session/latency_meter.hpp"
#include "proxy/session/named_statements.hpp"
#include "proxy/session/prepared_statements.hpp"
#include "proxy/session/replica_stream.hpp"
#include "proxy/session/response_tracker.hpp"
#include "proxy/session/session_text.hpp"
#include "proxy/session/statement_scan.hpp"
#include "proxy/session/transaction_tracker.hpp"

namespace sluice::session {

struct relay_rules {
    bool answers_shows = false;  ///< SHOW MIGRATIONS and its kin are not for the server
    /// How much of a command is looked at; longer ones are judged by so much. The owner must be able to keep so many
    /// bytes at once; 1024 and more.
    std::size_t head_bytes_max = 32 * 1024;
    latency_meter* meter = nullptr;  ///< of the thread: statements are timed while it is on; must outlive the session
};

enum class client_next : std::uint8_t {
    more,     ///< everything has been taken
    again,    ///< compressed sessions only: call again with the rest when what goes on has gone
    partial,  ///< keep the rest; more bytes of the command are needed
    stalled,  ///< keep the rest until a reply has ended
    held,     ///< at a gate; keep the rest until released
    refused,  ///< the end of a command that Sluice refuses, to be dropped: an ERR is the reply, see refusal(); then
              ///< call again
    answer,   ///< a statement for Sluice itself (pending_show()), to be dropped; then call answer()
    authentication,  ///< a COM_CHANGE_USER is the last of what goes on: see change_user()
};

struct client_step {
    std::size_t forward = 0;  ///< first so many bytes go to the server
    std::size_t drop = 0;     ///< so many behind them go nowhere
    client_next next = client_next::more;
    turn_marks marks{};  ///< compressed sessions only
    /// With `refused`: this prepared statement is to be reset by a COM_STMT_RESET of Sluice's own.
    std::optional<std::uint32_t> reset_statement;
};

struct server_step {
    std::size_t forward = 0;  ///< first so many bytes go to the client: all, unless refused or (see begin()) compressed
    std::size_t drop = 0;     ///< so many behind them answer a command of Sluice's own
    bool reply_ended = false;                      ///< at least one: a stalled client may go on
    bool refused = false;                          ///< the rest must not pass, and the session must end
    std::optional<std::uint8_t> refused_sequence;  ///< of the packet there, if the client has had nothing of it
    turn_marks marks{};                            ///< compressed sessions only
};

class relay_fsm final : public gate_seat {
public:
    relay_fsm(gate_shard& shard, relay_rules rules) noexcept : shard_(shard), rules_(rules) {}

    /// The login has ended well, the first or one by COM_CHANGE_USER. If a side is compressed, no step goes beyond the
    /// end of a command, a file or a reply, and each says what it holds.
    void begin(const login_facts& facts, std::string client, time_point now);

    /// Looks at the client's unread bytes; bytes that were not forwarded must be there again at the next call.
    [[nodiscard]] client_step on_client(protocol::byte_view unread, time_point now);
    [[nodiscard]] server_step on_server(protocol::byte_view bytes, time_point now);

    /// The shard has released the seat: the statement goes on at the next on_client().
    void on_released() noexcept { granted_ = true; }

    /// The answer to a refused command, and its packet's sequence id.
    [[nodiscard]] const protocol::err_packet& refusal() const noexcept { return refusal_; }
    [[nodiscard]] std::uint8_t refusal_sequence() const noexcept { return refusal_sequence_; }

    /// After client_next::answer, until answered().
    [[nodiscard]] const sql::show_request& pending_show() const noexcept { return show_; }
    [[nodiscard]] bool answering() const noexcept { return answering_; }
    void answered() noexcept { answering_ = false; }
    [[nodiscard]] protocol::capability_flags capabilities() const noexcept { return facts_.capabilities; }
    [[nodiscard]] protocol::status_flags status() const noexcept { return tracker_.status(); }

    /// Payload of the COM_CHANGE_USER that has just gone on, within the bytes given to on_client().
    [[nodiscard]] protocol::byte_view change_user() const noexcept { return change_user_; }

    /// Neither a command in flight, nor bytes of one.
    [[nodiscard]] bool idle() const noexcept {
        return !blind_ && tracker_.idle() && body_left_ == 0 && !frame_continues_ && !file_passes_ && !answering_;
    }
    [[nodiscard]] bool in_transaction() const noexcept { return transaction_.in_transaction(); }
    [[nodiscard]] bool holds_locks() const noexcept { return transaction_.holds_locks(); }
    [[nodiscard]] bool blind() const noexcept { return blind_; }
    [[nodiscard]] const session_text& text() const noexcept { return text_; }
    [[nodiscard]] std::uint64_t statements() const noexcept { return statements_; }
    /// When the statement was sent on whose reply the meter waits for.
    [[nodiscard]] std::optional<time_point> waiting_since() const noexcept { return timed_since_; }

    [[nodiscard]] seat_view view() const override;
    [[nodiscard]] std::uint64_t connection_id() const noexcept override { return facts_.connection_id; }
    [[nodiscard]] bool has_snapshot() const override;
    [[nodiscard]] slot_mask outdated() const override;

protected:
    [[nodiscard]] slot_mask on_watch(slot_mask added) override;
    [[nodiscard]] bool on_swapped(slot_mask swapped) override;
    void on_reads_anew(time_point since) override;

private:
    enum class passage : std::uint8_t { go_on, stop };

    [[nodiscard]] passage pass_body(protocol::byte_view rest, client_step& step);
    [[nodiscard]] passage pass_file(protocol::byte_view rest, client_step& step);
    [[nodiscard]] passage pass_command(protocol::byte_view rest, client_step& step, time_point now);
    [[nodiscard]] passage refuse(const expected_reply& refused, protocol::byte_view rest, client_step& step);
    void reset_refused(client_step& step);
    [[nodiscard]] passage pass_refused(protocol::byte_view rest, client_step& step);
    [[nodiscard]] passage stop(client_step& step, client_next why) noexcept;
    [[nodiscard]] bool turn_ends(client_step& step, std::size_t unread) noexcept;
    [[nodiscard]] bool wants_quiet(const command_reading& reading) const noexcept;
    [[nodiscard]] hold_question question_of(const expected_reply& reply) const noexcept;
    [[nodiscard]] std::optional<protocol::err_packet> refusal_of(const command_reading& reading, std::size_t bytes);
    void note_text(std::string_view text, time_point now);
    [[nodiscard]] bool waits_at_gate(const command_reading& reading, std::size_t bytes, time_point now);
    void admit(command_reading&& reading, time_point now);
    void forget_statement(std::uint32_t id);
    void scan_on(std::string_view text);
    void on_reply_ended(time_point now);
    void adopt_names(ended_reply& ended);
    void adopt_isolation(const ended_reply& ended);
    [[nodiscard]] bool settings_in_flight();
    void adopt_option(std::uint16_t option, bool done) noexcept;
    void go_blind(bool uses_tables);
    void pass_stream(protocol::byte_view bytes, server_step& step);
    [[nodiscard]] std::size_t acknowledgement_in(protocol::byte_view unread) noexcept;
    void begin_timing(const expected_reply& reply, time_point now) noexcept;
    void end_timing(time_point now) noexcept;
    void tell_use();

    gate_shard& shard_;
    relay_rules rules_;
    login_facts facts_;
    std::string client_;
    response_tracker tracker_;
    transaction_tracker transaction_;
    session_text text_;
    prepared_statements prepared_;
    named_statements named_;
    isolation_tracker isolation_;

    std::uint32_t body_left_ = 0;           // of the client's current frame
    bool frame_continues_ = false;          // and another frame of the packet follows
    bool multi_statements_ = false;         // as the server's replies say
    std::size_t multi_statements_due_ = 0;  // COM_SET_OPTIONs under way that switch them on
    std::unique_ptr<statement_scan> scan_;  // while a text that may hold several passes, longer than is looked at
    bool file_passes_ = false;              // the client sends a file for LOAD DATA LOCAL
    bool barrier_ = false;                  // nothing goes on until all replies have ended
    bool granted_ = false;
    bool refusing_ = false;  // body_left_ and frame_continues_ are of a command that goes nowhere
    std::uint8_t refusal_sequence_ = 1;
    protocol::err_packet refusal_;
    std::optional<std::uint32_t> refused_statement_;  // of a COM_STMT_EXECUTE
    bool own_reply_due_ = false;                      // to the COM_STMT_RESET behind it
    bool had_snapshot_ = false;                       // as last told, these two
    slot_mask had_outdated_ = 0;
    std::size_t outdated_in_flight_ = 0;  // replies due to statements that were under way when tables changed places
    slot_mask outdated_ = 0;              // those tables
    bool answering_ = false;
    bool blind_ = false;
    bool blind_uses_tables_ = false;
    std::optional<replica_stream> stream_;  // only if a side is compressed
    bool acknowledgements_known_ = true;    // what its client sends looks like them
    bool marks_turns_ = false;              // a side is compressed
    bool file_open_ = false;                // these two: of the parts of the conversation, only if so
    bool reply_open_ = false;
    sql::show_request show_;
    protocol::byte_view change_user_;
    std::uint64_t statements_ = 0;
    std::optional<time_point> timed_since_;
    std::string last_text_;  // only while tables are watched
    time_point last_begun_{};
};

}  // namespace sluice::session

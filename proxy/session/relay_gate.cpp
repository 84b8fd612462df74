// The relay at the gates: what of a command waits, what is refused, and what the session tells its shard of itself.

#include "protocol/message/command.hpp"
#include "proxy/session/hold_policy.hpp"
#include "proxy/session/relay_fsm.hpp"

#include <algorithm>
#include <utility>

namespace sluice::session {

using protocol::byte_view;
using protocol::command;
using protocol::command_reply;
using protocol::frame_header_size;

namespace {

constexpr std::size_t shown_text_max = 120;

// The start of a text for an operator: one line, not split inside a character of UTF-8.
std::string shortened(std::string_view text) {
    const bool cut = text.size() > shown_text_max;
    if (cut) {
        text = text.substr(0, shown_text_max);
        while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xC0U) == 0x80U) text.remove_suffix(1);
        if (!text.empty() && static_cast<unsigned char>(text.back()) >= 0xC0U) text.remove_suffix(1);
    }
    std::string shown(text);
    std::replace_if(
        shown.begin(), shown.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20U; }, ' ');
    return cut ? shown + "..." : shown;
}

}  // namespace

void relay_fsm::note_text(std::string_view text, time_point now) {
    last_text_ = shortened(text);
    last_begun_ = now;
}

// Commands that need all earlier replies to have ended: those that Sluice answers or that change the protocol, and
// those that a gate may hold, for which the session's transaction must be known.
bool relay_fsm::wants_quiet(const command_reading& reading) const noexcept {
    const auto shape = protocol::reply_of(reading.reply.command);
    if (reading.show || shape == command_reply::authentication || shape == command_reply::endless) return true;
    const auto gates = shard_.holding() | shard_.undecided() | transaction_.outdated();
    if ((reading.reply.may_touch & gates) != 0 || shard_.holding_all() != 0) return true;
    return reading.reply.touches_a_table && shard_.sealed() != 0;
}

hold_question relay_fsm::question_of(const expected_reply& reply) const noexcept {
    return {.command = reply.command,
            .kind = reply.kind,
            .may_touch = reply.may_touch,
            .holding = shard_.holding(),
            .holding_all = shard_.holding_all(),
            .sealed = shard_.sealed(),
            .undecided = shard_.undecided(),
            .in_transaction = transaction_.in_transaction(),
            .has_touched = transaction_.has_touched(),
            .holds_locks = transaction_.may_hold_locks(),
            .has_snapshot = transaction_.may_have_snapshot(),
            .autocommit = (tracker_.status() & protocol::server_status::autocommit) != 0,
            .reads_anew = isolation_.level() == isolation::anew,
            .touches_a_table = reply.touches_a_table,
            .reads_by_snapshot = reply.reads_by_snapshot,
            .runs_several = reply.runs_several};
}

bool relay_fsm::waits_at_gate(const command_reading& reading, std::size_t bytes, time_point now) {
    if (granted_) return false;
    const auto wait = must_hold(question_of(reading.reply));
    if (wait.all() == 0 || !shard_.hold(*this, wait, bytes, now)) return false;
    note_text(reading.text, now);
    return true;
}

std::optional<protocol::err_packet> relay_fsm::refusal_of(const command_reading& reading, std::size_t bytes) {
    if (reading.reply.command == command::clone) {
        // It turns the connection into one of another protocol, in which the recipient tells the donor where to find it
        // and opens further connections; it must speak to the server itself.
        constexpr std::uint16_t error_not_supported = 1235;  // ER_NOT_SUPPORTED_YET
        return protocol::err_packet{error_not_supported, "42000",
                                    "COM_CLONE does not pass through Sluice: clone from the server's own address"};
    }
    if (interrupted()) {
        forget_interruption();
        granted_ = false;
        constexpr std::uint16_t error_interrupted = 1317;  // ER_QUERY_INTERRUPTED
        return protocol::err_packet{error_interrupted, "70100", "Query execution was interrupted"};
    }
    const auto outdated = transaction_.outdated();
    const bool reads_outdated = outdated != 0 && must_refuse(question_of(reading.reply), outdated);
    const bool may_wait = !granted_ && shard_.undecided() != 0;
    if (reads_outdated || (may_wait && shard_.has_to_refuse(must_hold(question_of(reading.reply)), bytes))) {
        granted_ = false;
        shard_.note_refused();
        constexpr std::uint16_t error_definition_changed = 1412;  // ER_TABLE_DEF_CHANGED
        return protocol::err_packet{error_definition_changed, "HY000",
                                    "Table definition has changed, please retry transaction"};
    }
    return std::nullopt;
}

// rest begins with the command.
relay_fsm::passage relay_fsm::refuse(const expected_reply& refused, byte_view rest, client_step& step) {
    if (refused.command == command::stmt_execute) refused_statement_ = refused.statement_id;
    const auto header = protocol::decode_frame_header(rest.first<frame_header_size>());
    refusing_ = true;
    refusal_sequence_ = 1;
    body_left_ = header.payload_size;
    frame_continues_ = header.continues();
    step.drop = frame_header_size;
    return pass_refused(rest.subspan(frame_header_size), step);
}

// To the command's end, however long: what follows is the next one.
relay_fsm::passage relay_fsm::pass_refused(byte_view rest, client_step& step) {
    for (;;) {
        const auto passed = std::min<std::size_t>(body_left_, rest.size());
        body_left_ -= static_cast<std::uint32_t>(passed);
        step.drop += passed;
        rest = rest.subspan(passed);
        if (body_left_ != 0) return stop(step, client_next::more);
        if (!frame_continues_) {
            refusing_ = false;
            step.marks.own_reply = true;
            reset_refused(step);
            return stop(step, client_next::refused);
        }
        if (rest.size() < frame_header_size) return stop(step, rest.empty() ? client_next::more : client_next::partial);
        const auto header = protocol::decode_frame_header(rest.first<frame_header_size>());
        body_left_ = header.payload_size;
        frame_continues_ = header.continues();
        ++refusal_sequence_;
        step.drop += frame_header_size;
        rest = rest.subspan(frame_header_size);
    }
}

// What the client has sent ahead by COM_STMT_SEND_LONG_DATA stays with the statement until it is executed, be it in
// vain; the server has not seen that, and would put it in front of what is sent for the next time.
void relay_fsm::reset_refused(client_step& step) {
    const auto statement = std::exchange(refused_statement_, std::nullopt);
    if (!statement || !tracker_.idle()) return;
    step.reset_statement = statement;
    step.marks.own_command = true;
    own_reply_due_ = true;
    barrier_ = true;
    expected_reply reply;
    reply.command = command::stmt_reset;
    reply.is_barrier = true;
    tracker_.expect(std::move(reply));
}

// A replica's stream uses no table, a session that is not understood may use any.
void relay_fsm::tell_use() {
    if (!shard_.watching()) {
        shard_.set_in_use(*this, 0);
        return;
    }
    auto use = transaction_.touched();
    auto& queue = tracker_.queue();
    for (std::size_t i = 0; i < queue.size(); ++i) use |= queue.at(i).may_touch;
    if (blind_) use = blind_uses_tables_ ? all_slots : 0;
    shard_.set_in_use(*this, use & shard_.watched());
    const bool has = has_snapshot();
    if (had_snapshot_ && !has) shard_.note_snapshot_gone();
    had_snapshot_ = has;
    const auto outdated_now = outdated();
    if ((had_outdated_ & ~outdated_now) != 0) shard_.note_outdated_gone();
    had_outdated_ = outdated_now;
}

slot_mask relay_fsm::on_watch(slot_mask added) {
    if (blind_) return blind_uses_tables_ ? in_use() | added : in_use();
    auto& queue = tracker_.queue();
    for (std::size_t i = 0; i < queue.size(); ++i) {
        queue.at(i).may_touch |= added;
        queue.at(i).touches_a_table = true;
    }
    const bool open = transaction_.on_watch(added);
    return open || !queue.empty() ? in_use() | added : in_use();
}

seat_view relay_fsm::view() const {
    seat_view view;
    view.connection_id = facts_.connection_id;
    view.client = facts_.user + "@" + client_;
    view.statement = last_text_;
    view.in_transaction = transaction_.in_transaction();
    view.since = transaction_.in_transaction() || transaction_.holds_locks() ? transaction_.since() : last_begun_;
    return view;
}

bool relay_fsm::has_snapshot() const {
    return !blind_ && transaction_.may_have_snapshot() && isolation_.level() != isolation::anew;
}

slot_mask relay_fsm::outdated() const {
    return blind_ ? 0 : transaction_.outdated() | (outdated_in_flight_ != 0 ? outdated_ : 0);
}

bool relay_fsm::on_swapped(slot_mask swapped) {
    if (blind_) return false;
    auto& queue = tracker_.queue();
    for (std::size_t i = 0; i < queue.size(); ++i) {
        // Under way, and with a snapshot from before unless it has waited for the table before it took one.
        const auto& reply = queue.at(i);
        const bool waited = (reply.may_touch & swapped) != 0 && !reply.runs_several && !reply.takes_snapshot;
        if (!reply.touches_a_table || waited) continue;
        if (outdated_in_flight_ == 0) outdated_ = 0;
        outdated_in_flight_ = queue.size();
        outdated_ |= swapped;
        break;
    }
    const bool has = has_snapshot();
    if (has) transaction_.note_outdated(swapped);
    had_outdated_ = outdated();
    return has;
}

void relay_fsm::on_reads_anew(time_point since) {
    if (transaction_.since() == since) isolation_.note_reads_anew();
}

}  // namespace sluice::session

#include "proxy/session/relay_fsm.hpp"

#include <algorithm>
#include <utility>

#include "protocol/message/command.hpp"
#include "protocol/message/statement_command.hpp"
#include "protocol/wire/frame.hpp"
#include "proxy/session/kind_reading.hpp"

namespace sluice::session {

using protocol::byte_view;
using protocol::command;
using protocol::command_reply;
using protocol::frame_header_size;

namespace {

protocol::frame_header header_of(byte_view bytes) noexcept {
    return protocol::decode_frame_header(bytes.first<frame_header_size>());
}

}  // namespace

void relay_fsm::begin(const login_facts& facts, std::string client, time_point now) {
    facts_ = facts;
    client_ = std::move(client);
    tracker_.set_capabilities(facts.capabilities);
    tracker_.set_status(facts.status);
    transaction_.reset(facts.status);
    text_.adopt_login(facts);
    prepared_.clear();
    named_.clear();
    isolation_ = {};
    scan_.reset();
    outdated_in_flight_ = 0;
    multi_statements_due_ = 0;
    multi_statements_ = protocol::has(facts.capabilities, protocol::capability::multi_statements);
    last_begun_ = now;
    marks_turns_ = facts.is_compressed();
    tracker_.set_numbered(facts.server_compression == protocol::compression_algorithm::none);
    file_open_ = false;
    reply_open_ = false;
    own_reply_due_ = false;
    timed_since_.reset();
    tell_use();
}

client_step relay_fsm::on_client(byte_view unread, time_point now) {
    client_step step;
    for (;;) {
        const auto rest = unread.subspan(step.forward);
        auto said = passage::go_on;
        if (blind_) {
            step.marks.unknown = true;
            step.marks.command_begins = true;
            step.forward = acknowledgement_in(unread);
            const bool all = step.forward == unread.size();
            said = stop(step, all ? client_next::more : step.forward != 0 ? client_next::again : client_next::partial);
        } else if (rest.empty()) {
            said = stop(step, client_next::more);
        } else if (refusing_) {
            said = pass_refused(rest, step);
        } else if (body_left_ != 0 || frame_continues_) {
            said = pass_body(rest, step);
        } else if (file_passes_) {
            said = pass_file(rest, step);
        } else {
            said = pass_command(rest, step, now);
        }
        if (said == passage::stop) return step;
        if (marks_turns_ && turn_ends(step, unread.size())) return step;
    }
}

bool relay_fsm::turn_ends(client_step& step, std::size_t unread) noexcept {
    const bool inside = body_left_ != 0 || frame_continues_ || file_passes_;
    if (step.forward == 0 || (inside && !blind_)) return false;
    (file_open_ ? step.marks.file_ends : step.marks.command_ends) = true;
    file_open_ = false;
    step.next = step.forward < unread ? client_next::again : client_next::more;
    return true;
}

relay_fsm::passage relay_fsm::stop(client_step& step, client_next why) noexcept {
    step.next = why;
    return passage::stop;
}

relay_fsm::passage relay_fsm::pass_body(byte_view rest, client_step& step) {
    if (body_left_ == 0) {
        if (rest.size() < frame_header_size) return stop(step, client_next::partial);
        const auto header = header_of(rest);
        body_left_ = header.payload_size;
        frame_continues_ = header.continues();
        step.forward += frame_header_size;
        if (scan_) scan_on({});  // the last frame may be empty
        return passage::go_on;
    }
    const auto passed = std::min<std::size_t>(body_left_, rest.size());
    body_left_ -= static_cast<std::uint32_t>(passed);
    step.forward += passed;
    if (scan_) scan_on(protocol::as_text(rest.first(passed)));
    return passage::go_on;
}

// Behind the part of a text that was looked at; at its end, before the last of it goes on, what it holds is known.
void relay_fsm::scan_on(std::string_view text) {
    scan_->feed(text);
    if (body_left_ != 0 || frame_continues_) return;
    scan_->finish();
    const auto scan = std::exchange(scan_, nullptr);
    auto& reply = tracker_.queue().at(tracker_.queue().size() - 1);
    if (!scan->several()) {
        reply.runs_several = runs_others(reply.kind);
        return;
    }
    std::move(*scan).tell(reply);
    if (!protocol::has(facts_.capabilities, protocol::capability::local_files)) reply.local_infile_asked = false;
    reply.is_barrier = reply.local_infile_asked;
    barrier_ = reply.is_barrier;
    if (!shard_.watching()) return;
    reply.may_touch = shard_.watched();
    tell_use();
}

// Packets of a file are no commands, whatever they begin with. An empty one ends it.
relay_fsm::passage relay_fsm::pass_file(byte_view rest, client_step& step) {
    if (rest.size() < frame_header_size) return stop(step, client_next::partial);
    const auto header = header_of(rest);
    body_left_ = header.payload_size;
    frame_continues_ = header.continues();
    step.forward += frame_header_size;
    if (!file_open_) step.marks.file_begins = true;
    file_open_ = true;
    if (header.payload_size == 0) {
        file_passes_ = false;
        if (tracker_.file_wanted()) tracker_.file_sent();
    }
    return passage::go_on;
}

relay_fsm::passage relay_fsm::pass_command(byte_view rest, client_step& step, time_point now) {
    if (rest.size() < frame_header_size) return stop(step, client_next::partial);
    const auto header = header_of(rest);
    const auto looked_at = std::min<std::size_t>(header.payload_size, rules_.head_bytes_max - frame_header_size);
    if (rest.size() < frame_header_size + looked_at) return stop(step, client_next::partial);
    if (answering_ || barrier_ || tracker_.queue().full()) return stop(step, client_next::stalled);

    const bool whole = looked_at == header.payload_size && !header.continues();
    const reading_context context{facts_.capabilities,
                                  multi_statements_ || multi_statements_due_ != 0,
                                  rules_.answers_shows,
                                  transaction_.has_touched(),
                                  settings_in_flight(),
                                  transaction_.outdated(),
                                  text_,
                                  shard_,
                                  prepared_,
                                  named_};
    const auto payload = rest.subspan(frame_header_size, looked_at);
    auto reading = read_command(payload, whole, context);
    if (!tracker_.idle() && wants_quiet(reading)) return stop(step, client_next::stalled);
    if (auto refused = refusal_of(reading, rest.size())) {
        refusal_ = std::move(*refused);
        return refuse(reading.reply, rest, step);
    }
    if (reading.show) {
        show_ = std::move(*reading.show);
        answering_ = true;
        step.marks.own_reply = true;
        step.drop = frame_header_size + header.payload_size;
        return stop(step, client_next::answer);
    }
    if (waits_at_gate(reading, rest.size(), now)) return stop(step, client_next::held);

    const auto passed = std::min<std::size_t>(rest.size(), frame_header_size + header.payload_size);
    step.forward += passed;
    body_left_ = static_cast<std::uint32_t>(frame_header_size + header.payload_size - passed);
    frame_continues_ = header.continues();
    const auto shape = protocol::reply_of(reading.reply.command);
    file_open_ = false;
    step.marks.command_begins = true;
    step.marks.has_reply = shape != command_reply::none && shape != command_reply::authentication;
    const auto text = reading.text;
    const bool reading_on = reading.may_hold_more;
    if (reading_on) {
        scan_ = std::make_unique<statement_scan>(text_.rules());
    }
    admit(std::move(reading), now);
    if (reading_on) {
        const auto before = static_cast<std::size_t>(text.data() - protocol::as_text(rest).data());
        scan_on(protocol::as_text(rest.first(passed)).substr(before));
    }
    if (shape == command_reply::authentication) {
        step.marks.own_reply = true;
        if (!whole) {
            go_blind(true);
            return passage::go_on;
        }
        step.marks.command_ends = true;
        change_user_ = payload;
        return stop(step, client_next::authentication);
    }
    return passage::go_on;
}

// Whether what is under way may change how later texts are to be read.
bool relay_fsm::settings_in_flight() {
    auto& queue = tracker_.queue();
    for (std::size_t i = 0; i < queue.size(); ++i) {
        const auto& reply = queue.at(i);
        // Of names: what EXECUTE runs.
        const bool has_statements = reply.memory && !(reply.memory->statements.empty() && reply.memory->name.empty());
        if (has_statements || reply.runs_several || reply.command == command::init_db ||
            reply.command == command::reset_connection) {
            return true;
        }
    }
    return false;
}

void relay_fsm::admit(command_reading&& reading, time_point now) {
    granted_ = false;
    ++statements_;
    auto& reply = reading.reply;
    if (reply.command == command::set_option && reply.option == protocol::option_multi_statements_on) {
        ++multi_statements_due_;
    }
    if (shard_.watching()) {
        const auto prepared = prepared_.text(reply.statement_id);
        note_text(reading.text.empty() ? prepared : reading.text, now);
    }
    if (reply.command == command::stmt_close) forget_statement(reply.statement_id);
    if (reply.command == command::stmt_prepare) prepared_.on_prepare();
    const auto shape = protocol::reply_of(reply.command);
    if (shape == command_reply::authentication) return;
    if (shape == command_reply::none) return;
    // Whether a stream begins must be known before its client speaks into it.
    if (shape == command_reply::endless) reply.is_barrier = true;
    barrier_ = reply.is_barrier;
    if (rules_.meter != nullptr && rules_.meter->is_on()) begin_timing(reply, now);
    tracker_.expect(std::move(reply));
    tell_use();
}

// What has been sent before its COM_STMT_CLOSE has been read by then, whether or not it is answered.
void relay_fsm::forget_statement(std::uint32_t id) {
    if (id == prepared_statements::last_id) {
        auto& queue = tracker_.queue();
        for (std::size_t i = queue.size(); i-- != 0;) {
            auto& prepare = queue.at(i);
            if (prepare.command != command::stmt_prepare || !prepare.memory) continue;
            *prepare.memory = {};
            prepare.memory->text_is_whole = false;
            return;
        }
    }
    prepared_.remove(id);
}

server_step relay_fsm::on_server(byte_view bytes, time_point now) {
    server_step step;
    if (timed_since_) end_timing(now);
    while (!blind_ && step.forward < bytes.size()) {
        if (!reply_open_ && marks_turns_ && !own_reply_due_ && !tracker_.queue().empty()) {
            reply_open_ = true;
            step.marks.reply_begins = true;
        }
        const auto seen = tracker_.on_bytes(bytes.subspan(step.forward));
        if (own_reply_due_ && (seen.event == reply_event::more || seen.event == reply_event::reply_ended)) {
            step.drop = seen.consumed;
            if (seen.event == reply_event::more) return step;
            own_reply_due_ = false;
            step.reply_ended = true;
            on_reply_ended(now);
            return step;
        }
        step.forward += seen.consumed;
        switch (seen.event) {
            case reply_event::reply_ended:
                step.reply_ended = true;
                on_reply_ended(now);
                reply_open_ = false;
                if (marks_turns_) return step;
                break;
            case reply_event::file_refused:
                step.refused = true;
                step.refused_sequence = seen.refused_sequence;
                return step;
            case reply_event::stream_begun:
                go_blind(false);
                if (marks_turns_) stream_.emplace(tracker_.header());
                break;
            case reply_event::broken: go_blind(true); break;
            case reply_event::more:
            case reply_event::unsolicited_error: break;
        }
        if (tracker_.file_wanted()) file_passes_ = true;
    }
    if (blind_ && marks_turns_) {
        step.marks.unknown = blind_uses_tables_;
        if (!reply_open_) step.marks.reply_begins = true;
        reply_open_ = true;
        if (stream_) {
            pass_stream(bytes, step);
            return step;
        }
    }
    step.forward = bytes.size();
    return step;
}

// Behind what is to be acknowledged MySQL numbers the next compressed frame 0. MariaDB counts the acknowledgement as
// one, and 5.6 reads it where it writes.
void relay_fsm::pass_stream(byte_view bytes, server_step& step) {
    constexpr std::uint32_t first_with_own_reader = 50700;
    const auto& server = text_.options();
    const bool is_old = server.server_version != 0 && server.server_version < first_with_own_reader;
    if (stream_->begins_anew()) step.marks.source_begins_anew = server.mariadb || is_old ? 1 : 0;
    step.forward += stream_->pass(bytes.subspan(step.forward));
}

// How much a blind session may pass on at once. A source takes one acknowledgement out of a compressed frame, and does
// not look for a second one until more comes.
std::size_t relay_fsm::acknowledgement_in(byte_view unread) noexcept {
    if (!stream_ || !stream_->is_semi_synchronous() || !acknowledgements_known_) return unread.size();
    if (unread.size() < frame_header_size) return 0;
    const auto size = frame_header_size + header_of(unread).payload_size;
    acknowledgements_known_ = size <= rules_.head_bytes_max;
    if (!acknowledgements_known_) return unread.size();
    return size <= unread.size() ? size : 0;
}

void relay_fsm::on_reply_ended(time_point now) {
    auto ended = tracker_.take_ended();
    const auto status = tracker_.status();
    auto& expected = ended.expected;
    if (expected.is_barrier) barrier_ = false;
    if (tracker_.queue().empty()) scan_.reset();  // the server has not waited for the end of the text
    text_.adopt_status(status);
    if (expected.command == command::set_option) adopt_option(expected.option, !ended.failed);
    if (expected.command == command::stmt_prepare) {
        if (!ended.failed && expected.memory) prepared_.add(ended.statement_id, std::move(*expected.memory), text_);
    } else {
        text_.adopt_reply(ended);
        adopt_names(ended);
    }
    transaction_.on_reply(ended, status, now);
    adopt_isolation(ended);
    if (shard_.watching()) tell_use();
}

void relay_fsm::adopt_names(ended_reply& ended) {
    auto& expected = ended.expected;
    if (expected.command == command::reset_connection && !ended.failed) {
        prepared_.clear();
        named_.clear();
    }
    // A procedure may prepare too.
    if (expected.runs_several) named_.clear();
    if (!expected.memory || expected.memory->name.empty()) return;
    auto& memory = *expected.memory;
    const bool is_kept = expected.kind == sql::statement_kind::prepare && !ended.failed && !memory.text.empty();
    if (is_kept) {
        named_.add(std::move(memory.name), memory.text, text_.rules(), text_.schema());
    } else {
        named_.remove(memory.name);
    }
}

void relay_fsm::adopt_isolation(const ended_reply& ended) {
    const auto& expected = ended.expected;
    if (outdated_in_flight_ != 0) {
        --outdated_in_flight_;
        if (transaction_.may_have_snapshot()) transaction_.note_outdated(outdated_);
    }
    if (expected.command == command::reset_connection) isolation_ = {};
    if (expected.runs_several) isolation_.lose();
    const auto change = !ended.failed && expected.memory ? expected.memory->isolation : isolation_change{};
    isolation_.on_statement(change, transaction_.in_transaction(), transaction_.begun_anew());
    if (expected.memory && expected.memory->killed_query && !ended.failed) {
        shard_.note_kill({*expected.memory->killed_query});
    }
}

void relay_fsm::adopt_option(std::uint16_t option, bool done) noexcept {
    const bool on = option == protocol::option_multi_statements_on;
    if (on && multi_statements_due_ != 0) --multi_statements_due_;
    if (done) multi_statements_ = on;
}

// Only of a client that waits for nothing else: what it has sent ahead waits for its own earlier statements.
void relay_fsm::begin_timing(const expected_reply& reply, time_point now) noexcept {
    const bool is_statement = reply.command == command::query || reply.command == command::stmt_execute;
    if (is_statement && tracker_.idle()) timed_since_ = now;
}

void relay_fsm::end_timing(time_point now) noexcept {
    rules_.meter->record(now - *timed_since_);
    timed_since_.reset();
}

void relay_fsm::go_blind(bool uses_tables) {
    blind_ = true;
    blind_uses_tables_ = uses_tables;
    tell_use();
}

}  // namespace sluice::session

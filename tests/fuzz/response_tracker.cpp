// Replies followed to their ends: the same events at the same places, whole and in pieces.

#include "proxy/session/response_tracker.hpp"
#include "tests/fuzz/fuzz_input.hpp"
#include "tests/fuzz/session_capabilities.hpp"

#include <algorithm>
#include <memory>

namespace sluice::fuzz {
namespace {

using session::reply_event;

/// No input is as long; the block behind with_full_frames() is longer.
constexpr std::size_t shared_size_min = 1'000'000;

struct asked {
    protocol::command command = protocol::command::query;
    unsigned choices = 0;
};

struct seen_event {
    reply_event event = reply_event::more;
    std::uint64_t at = 0;  // bytes of the stream before it ended
    session::ended_reply ended;
    protocol::status_flags status = 0;
};

bool equal(const session::tracked_changes& a, const session::tracked_changes& b) {
    return a.schema == b.schema && a.character_set_client == b.character_set_client && a.sql_mode == b.sql_mode &&
           a.incomplete == b.incomplete;
}

bool equal(const seen_event& a, const seen_event& b) {
    // A header that has come alone has gone on before the first byte told that its packet must not.
    const auto slack = a.event == reply_event::file_refused ? protocol::frame_header_size : 0;
    return a.event == b.event && a.at <= b.at && b.at <= a.at + slack && a.status == b.status &&
           a.ended.failed == b.ended.failed && a.ended.error_code == b.ended.error_code &&
           a.ended.results == b.ended.results && a.ended.statement_id == b.ended.statement_id &&
           a.ended.expected.command == b.ended.expected.command && equal(a.ended.changes, b.ended.changes);
}

struct followed {
    std::vector<seen_event> events;
    std::size_t queued = 0;
    bool idle = false;
    bool file_wanted = false;
};

followed follow(const std::vector<byte_view>& pieces, const std::vector<asked>& commands,
                protocol::capability_flags capabilities) {
    session::response_tracker tracker;
    tracker.set_capabilities(capabilities);
    for (const auto& command : commands) {
        session::expected_reply reply;
        reply.command = command.command;
        reply.cursor_asked = (command.choices & 1U) != 0;
        reply.local_infile_asked = (command.choices & 2U) != 0;
        tracker.expect(std::move(reply));
    }
    followed seen;
    std::uint64_t at = 0;
    for (auto piece : pieces) {
        while (!piece.empty()) {
            // Bytes of their own: a tracker that keeps a view of them is found out. The shared block is too large for
            // it.
            auto own = std::make_unique<byte_buffer>();
            if (piece.size() <= shared_size_min) own->assign(piece.begin(), piece.end());
            const auto given = piece.size() <= shared_size_min ? byte_view(*own) : piece;
            const auto step = tracker.on_bytes(given);
            FUZZ_CHECK(step.consumed <= given.size());
            at += step.consumed;
            if (step.event == reply_event::more) {
                FUZZ_CHECK(step.consumed == given.size());
            } else {
                own.reset();
                seen_event event{step.event, at, {}, tracker.status()};
                if (step.event == reply_event::reply_ended) event.ended = tracker.take_ended();
                seen.events.push_back(std::move(event));
                if (step.event == reply_event::broken || step.event == reply_event::file_refused) return seen;
                FUZZ_CHECK(step.consumed > 0);
            }
            piece = piece.subspan(step.consumed);
        }
    }
    seen.queued = tracker.queue().size();
    seen.idle = tracker.idle();
    seen.file_wanted = tracker.file_wanted();
    return seen;
}

void run(fuzz_input in) {
    const auto capabilities = session_capabilities(in);
    const auto seed = in.u16();
    std::vector<asked> commands(in.u8() % 6U);
    for (auto& command : commands) {
        command.command = static_cast<protocol::command>(in.u8());
        command.choices = in.u8();
    }
    // What the relay does not give to the tracker.
    std::erase_if(commands, [](const asked& command) {
        const auto reply = protocol::reply_of(command.command);
        return reply == protocol::command_reply::none || reply == protocol::command_reply::endless ||
               reply == protocol::command_reply::authentication;
    });
    const auto stream = in.rest();
    const auto views = with_full_frames(stream);
    std::vector<byte_view> pieces;
    auto next_seed = std::uint32_t{seed};
    for (const auto view : views) {
        const auto cut = view.size() > shared_size_min ? std::vector{view} : cut_into_pieces(view, next_seed++);
        pieces.insert(pieces.end(), cut.begin(), cut.end());
    }
    // Whole is one view where no frame is full.
    const bool has_full_frame =
        std::any_of(views.begin(), views.end(), [](byte_view v) { return v.size() > shared_size_min; });
    const auto whole = follow(has_full_frame ? views : std::vector<byte_view>{stream}, commands, capabilities);
    const auto in_pieces = follow(pieces, commands, capabilities);
    FUZZ_CHECK(whole.events.size() == in_pieces.events.size());
    for (std::size_t i = 0; i < whole.events.size(); ++i) {
        FUZZ_CHECK(equal(whole.events[i], in_pieces.events[i]));
    }
    FUZZ_CHECK(whole.queued == in_pieces.queued && whole.idle == in_pieces.idle);
    FUZZ_CHECK(whole.file_wanted == in_pieces.file_wanted);
}

}  // namespace
}  // namespace sluice::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    sluice::fuzz::run({data, size});
    return 0;
}

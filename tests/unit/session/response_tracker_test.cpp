#include "proxy/session/response_tracker.hpp"
#include "tests/unit/session/packets.hpp"

#include <vector>

namespace sluice::session {
namespace {

using protocol::command;

expected_reply expect(command kind) {
    expected_reply reply;
    reply.command = kind;
    reply.local_infile_asked = true;
    return reply;
}

struct scenario {
    const char* name;
    expected_reply reply;
    script stream;
    bool failed = false;
    std::uint32_t results = 1;
    status_flags status = server_status::autocommit;
};

std::string row(std::size_t size) { return std::string(1, '\x05') + std::string(size - 1, 'r'); }

std::vector<scenario> scenarios(capability_flags caps) {
    constexpr status_flags more = server_status::autocommit | server_status::more_results_exist;
    constexpr status_flags in_trans = server_status::autocommit | server_status::in_trans;
    const bool tracks = protocol::has(caps, capability::session_track);
    // Longer than any constant that a relay might take for the length of an OK.
    const auto trackers = tracks ? schema_tracker(std::string(200, 's')) + schema_tracker("x") : std::string();
    const auto with = [&] { return script(caps); };
    std::vector<scenario> all;
    const auto add = [&](const char* name, command kind, script stream, bool failed = false, std::uint32_t results = 1,
                         status_flags status = server_status::autocommit) {
        all.push_back({name, expect(kind), std::move(stream), failed, results, status});
    };
    add("OK", command::query, with().ok(in_trans), false, 1, in_trans);
    add("OK with trackers", command::query, with().ok(in_trans, trackers), false, 1,
        tracks ? in_trans | server_status::session_state_changed : in_trans);
    add("ERR", command::query, with().err(), true, 0);
    add("no rows", command::query, with().columns(2).terminator());
    add("rows", command::query, with().columns(1).raw(row(3)).raw(row(300)).raw("\xfb").terminator(in_trans), false, 1,
        in_trans);
    add("rows, terminator with trackers", command::query, with().columns(1).raw(row(2)).terminator(in_trans, trackers),
        false, 1, tracks ? in_trans | server_status::session_state_changed : in_trans);
    add("ERR for a definition", command::query, with().raw("\x02").definitions(1).err(), true, 0);
    add("ERR after the definitions", command::query, with().columns(1).err(), true, 0);
    add("ERR between rows", command::query, with().columns(1).raw(row(9)).err(1317), true, 0);
    add("ERR between binary rows", command::stmt_execute, with().columns(1).raw(std::string(3, '\0')).err(), true, 0);
    add("several results", command::query,
        with().ok(more).columns(1).raw(row(2)).terminator(more).columns(3).terminator(more).ok(), false, 4);
    add("ERR as second result", command::query, with().columns(1).terminator(more).err(), true, 1);
    add("out parameters and their OK", command::stmt_execute,
        with().columns(1).raw(std::string(3, '\0')).terminator(more | server_status::ps_out_params).ok(), false, 2,
        server_status::autocommit);
    add("more columns than one byte counts", command::query,
        with().raw(std::string("\xfc\x2c\x01", 3)).definitions(300).raw(row(2)).terminator(), false, 1);
    if (!protocol::has(caps, capability::deprecate_eof)) all.pop_back();  // it lacks the EOF of definitions
    add("fetched rows", command::stmt_fetch, with().raw(std::string(5, '\0')).terminator(server_status::last_row_sent),
        false, 1, server_status::last_row_sent);
    add("fetch without a cursor", command::stmt_fetch, with().err(1421), true, 0);
    add("field list", command::field_list, with().definitions(3).eof());
    add("empty field list", command::field_list, with().eof());
    add("field list of no table", command::field_list, with().err(1146), true, 0);
    add("statistics", command::statistics, with().raw("Uptime: 3"), false, 0);
    add("statistics refused", command::statistics, with().err(), true, 0);
    add("ping", command::ping, with().ok());
    add("set option, by EOF", command::set_option, with().eof());
    add("set option, by OK", command::set_option, with().ok());
    add("unknown command", static_cast<command>(0x77), with().err(1047), true, 0);
    add("prepare", command::stmt_prepare, with().prepare_ok(7, 3, 2), false, 0);
    add("prepare without parameters", command::stmt_prepare, with().prepare_ok(7, 3, 0), false, 0);
    add("prepare without columns", command::stmt_prepare, with().prepare_ok(7, 0, 2), false, 0);
    add("prepare of DO", command::stmt_prepare, with().prepare_ok(7, 0, 0), false, 0);
    add("prepare fails", command::stmt_prepare, with().err(), true, 0);
    scenario cursor{"cursor opened", expect(command::stmt_execute), with(), false, 1, server_status::cursor_exists};
    cursor.reply.cursor_asked = true;
    if (protocol::has(caps, capability::deprecate_eof)) {
        cursor.stream.columns(2).terminator(server_status::cursor_exists);
    } else {
        cursor.stream.raw("\x02").definitions(2).eof(server_status::cursor_exists);
    }
    all.push_back(std::move(cursor));
    return all;
}

expected_reply copy(const expected_reply& reply) {
    expected_reply made;
    made.command = reply.command;
    made.cursor_asked = reply.cursor_asked;
    made.local_infile_asked = reply.local_infile_asked;
    return made;
}

// Feeds the stream in pieces and returns the offset at which the reply ended; npos when it did not.
std::size_t feed(response_tracker& tracker, byte_view stream, std::size_t cut, std::size_t piece) {
    std::size_t at = 0;
    while (at < stream.size()) {
        auto size = std::min(piece, stream.size() - at);
        if (at < cut && at + size > cut) size = cut - at;
        const auto part = stream.subspan(at, size);
        std::size_t used = 0;
        while (used < part.size()) {
            const auto step = tracker.on_bytes(part.subspan(used));
            used += step.consumed;
            if (step.event == reply_event::reply_ended) return at + used;
            REQUIRE(step.event == reply_event::more);
        }
        at += size;
    }
    return std::string::npos;
}

void check_scenario(const scenario& one, capability_flags caps, std::size_t cut, std::size_t piece) {
    response_tracker tracker;
    tracker.set_capabilities(caps);
    tracker.expect(copy(one.reply));
    // A second reply behind it, whose first byte must not be taken for the first one's.
    tracker.expect(expect(command::ping));
    const auto stream = one.stream.bytes() + script(caps).ok(server_status::in_trans).bytes();
    const auto end = feed(tracker, stream, cut, piece);
    REQUIRE(end == one.stream.bytes().size());
    const auto ended = tracker.take_ended();
    CHECK(ended.expected.command == one.reply.command);
    CHECK(ended.failed == one.failed);
    CHECK(ended.results == one.results);
    if (!one.failed) CHECK(tracker.status() == one.status);
    CHECK(feed(tracker, byte_view(stream).subspan(end), 0, piece) == stream.size() - end);
    CHECK(tracker.status() == server_status::in_trans);
    CHECK(tracker.idle());
}

TEST_CASE("the end of every reply is found, wherever the stream is cut") {
    for (const auto caps : {modern, classic}) {
        for (const auto& one : scenarios(caps)) {
            INFO(one.name << (caps == modern ? ", modern" : ", classic"));
            const auto size = one.stream.bytes().size();
            for (std::size_t cut = 0; cut <= size && cut < 2000; ++cut) check_scenario(one, caps, cut, size + 100);
            check_scenario(one, caps, 0, 1);
            check_scenario(one, caps, 0, 7);
        }
    }
}

TEST_CASE("rows of 16 MiB may begin with the terminator's byte") {
    for (const auto caps : {modern, classic}) {
        for (const std::size_t size : {0xFFFFFEUL, 0xFFFFFFUL, 0x1000000UL, 2 * 0xFFFFFFUL}) {
            INFO(size);
            // 0xFE announces a length of eight bytes; with that and the text the row is of 16 MiB and more.
            const bool is_row = size >= 0xFFFFFF || caps == classic;
            if (!is_row) continue;
            script stream(caps);
            stream.columns(1).raw(std::string("\xfe") + std::string(size - 1, 'z')).raw(row(5)).terminator();
            response_tracker tracker;
            tracker.set_capabilities(caps);
            tracker.expect(expect(command::query));
            CHECK(feed(tracker, stream, 0, 65536) == stream.bytes().size());
            CHECK(tracker.idle());
        }
    }
}

TEST_CASE("a terminator longer than what is kept still ends the rows") {
    std::string trackers;
    for (int i = 0; i < 60; ++i) trackers += schema_tracker(std::string(100, 's'));
    REQUIRE(trackers.size() > response_tracker::capture_max);
    for (const std::size_t piece : {1UL, 1000UL, 100000UL}) {
        script stream;
        stream.columns(1).raw(row(5)).terminator(server_status::in_trans, trackers);
        response_tracker tracker;
        tracker.set_capabilities(modern);
        tracker.expect(expect(command::query));
        CHECK(feed(tracker, stream, 0, piece) == stream.bytes().size());
        CHECK((tracker.status() & server_status::in_trans) != 0);
        CHECK(tracker.take_ended().changes.incomplete);
    }
}

TEST_CASE("what trackers tell is kept until the reply ends") {
    byte_buffer variables;
    protocol::append_tracked_variable(variables, "character_set_client", "gbk");
    protocol::append_tracked_variable(variables, "sql_mode", "ANSI_QUOTES");
    protocol::append_tracked_variable(variables, "autocommit", "ON");
    script stream;
    stream.ok(server_status::more_results_exist, schema_tracker("first")).ok(0, protocol::to_string(variables));
    response_tracker tracker;
    tracker.set_capabilities(modern);
    tracker.expect(expect(command::query));
    REQUIRE(feed(tracker, stream, 0, 3) == stream.bytes().size());
    const auto changes = tracker.take_ended().changes;
    CHECK(changes.schema == "first");
    CHECK(changes.character_set_client == "gbk");
    CHECK(changes.sql_mode == "ANSI_QUOTES");
    CHECK_FALSE(changes.incomplete);
    CHECK_FALSE(tracker.take_ended().changes.schema.has_value());
}

TEST_CASE("a file is asked for several times in one reply") {
    response_tracker tracker;
    tracker.set_capabilities(modern);
    tracker.expect(expect(command::query));
    const auto ask = framed("\xfb/tmp/file");
    for (int i = 0; i < 2; ++i) {
        CHECK(feed(tracker, ask, 0, 1) == std::string::npos);
        CHECK(tracker.file_wanted());
        CHECK_FALSE(tracker.idle());
        tracker.file_sent();
        if (i == 0)
            CHECK(feed(tracker, script(modern, 9).ok(server_status::more_results_exist), 0, 99) == std::string::npos);
    }
    // The sequence ids go on behind the file and may wrap: this ERR is the reply, not something unasked.
    CHECK(feed(tracker, script(modern, 0).err(), 0, 99) != std::string::npos);
    CHECK(tracker.take_ended().failed);
    CHECK(tracker.idle());
}

TEST_CASE("an ERR while the file is on its way ends the reply") {
    response_tracker tracker;
    tracker.set_capabilities(modern);
    tracker.expect(expect(command::query));
    (void)feed(tracker, framed("\xfb/tmp/file"), 0, 99);
    REQUIRE(tracker.file_wanted());
    CHECK(feed(tracker, script(modern, 2).err(), 0, 99) != std::string::npos);
    CHECK_FALSE(tracker.file_wanted());
}

TEST_CASE("a file that nobody offered is refused before a byte of the request has passed") {
    struct {
        bool asked;
        capability_flags caps;
    } const cases[] = {{false, modern}, {true, modern & ~capability::local_files}};
    for (const auto& c : cases) {
        response_tracker tracker;
        tracker.set_capabilities(c.caps);
        auto reply = expect(command::query);
        reply.local_infile_asked = c.asked;
        tracker.expect(std::move(reply));
        const auto stream = script(c.caps).columns(1).terminator(server_status::more_results_exist).bytes();
        const auto request = framed("\xfb/etc/passwd", 5);
        const auto step = tracker.on_bytes(stream + request);
        CHECK(step.event == reply_event::file_refused);
        CHECK(step.consumed == stream.size());
    }
}

TEST_CASE("what the server says unasked is not a reply") {
    response_tracker tracker;
    tracker.set_capabilities(modern);
    const auto goodbye = script(modern, 0).err(4031).bytes();
    CHECK(tracker.on_bytes(goodbye).event == reply_event::unsolicited_error);
    tracker.expect(expect(command::query));  // sent before it was seen
    const auto step = tracker.on_bytes(goodbye);
    CHECK(step.event == reply_event::unsolicited_error);
    CHECK(step.consumed == goodbye.size());
    CHECK_FALSE(tracker.queue().empty());
}

TEST_CASE("a stream that no reply may be is reported, not followed") {
    struct {
        const char* name;
        byte_buffer stream;
        bool expected;
    } const cases[] = {
        {"an OK that nobody asked for", framed(std::string("\0\0\0\2\0\0\0", 7)), false},
        {"an empty packet", framed(""), true},
        {"a result of no columns", framed(std::string("\xfc\0\0", 3)), true},
        {"a cut column count", framed("\xfd\x01"), true},
        {"an OK of one byte", framed(std::string("\0", 1)), true},
        {"0xFE in the place of a result", framed(std::string("\xfe\0\0\2\0", 5)), true},
    };
    for (const auto& c : cases) {
        INFO(c.name);
        for (const std::size_t piece : {1UL, 100UL}) {
            response_tracker tracker;
            tracker.set_capabilities(modern);
            if (c.expected) tracker.expect(expect(command::query));
            auto event = reply_event::more;
            for (std::size_t at = 0; at < c.stream.size() && event == reply_event::more; at += piece) {
                event = tracker.on_bytes(byte_view(c.stream).subspan(at, std::min(piece, c.stream.size() - at))).event;
            }
            CHECK(event == reply_event::broken);
        }
    }
}

TEST_CASE("the queue of expected replies is bounded and keeps its order") {
    reply_queue queue;
    for (std::size_t round = 0; round < 3; ++round) {
        for (std::uint32_t i = 0; i < reply_queue::size_max; ++i) {
            REQUIRE_FALSE(queue.full());
            expected_reply reply;
            reply.statement_id = i;
            queue.push(std::move(reply));
        }
        CHECK(queue.full());
        CHECK_THROWS_AS(queue.push({}), assertion_failure);
        for (std::uint32_t i = 0; i < reply_queue::size_max; ++i) REQUIRE(queue.pop().statement_id == i);
        CHECK(queue.empty());
        queue.push({});
        (void)queue.pop();  // so that the next round begins in the middle of the ring
    }
}

}  // namespace
}  // namespace sluice::session

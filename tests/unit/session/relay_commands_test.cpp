// Commands that change what the relay does next: replicas' streams, options, what is refused.

#include "proxy/session/lock_reading.hpp"
#include "proxy/session/session_core.hpp"
#include "tests/unit/session/packets.hpp"

#include <vector>

namespace sluice::session {
namespace {

using protocol::command;

constexpr time_point start{};

// A relay behind its login, and what each side has had from it.
struct relay {
    explicit relay(capability_flags capabilities = modern) : shard({}), fsm(shard, {true, 1024}) {
        login_facts facts;
        facts.server_version = "9.7.0";
        facts.capabilities = capabilities;
        facts.status = server_status::autocommit;
        facts.schema = "shop";
        shard.watch(0, {"shop", "orders"});
        shard.join(fsm);
        fsm.begin(facts, "here", start);
    }
    client_step send(command kind, std::string_view body = "") {
        return fsm.on_client(command_packet(kind, body), start);
    }
    void reply(const script& bytes) { (void)fsm.on_server(bytes, start); }
    [[nodiscard]] bool uses() const { return shard.in_use_count(0) != 0; }

    gate_shard shard;
    relay_fsm fsm;
};

TEST_CASE("a dump that is refused leaves a session like any other") {
    for (const auto kind : {command::binlog_dump, command::binlog_dump_gtid, command::table_dump}) {
        relay one;
        CHECK(one.send(kind, std::string(10, '\0')).next == client_next::more);
        CHECK(one.send(command::query, "SELECT 1").next == client_next::stalled);
        one.reply(script().err(1227));
        CHECK_FALSE(one.fsm.blind());
        CHECK(one.fsm.idle());
        CHECK(one.send(command::query, "SELECT * FROM orders").next == client_next::more);
        CHECK(one.uses());
        one.reply(script().ok());
        CHECK_FALSE(one.uses());

        (void)one.send(kind, std::string(10, '\0'));
        one.reply(script().raw(std::string(1, '\0') + "an event"));
        CHECK(one.fsm.blind());
        CHECK_FALSE(one.uses());
    }
}

TEST_CASE("COM_CLONE is refused, and the session goes on") {
    relay one;
    (void)one.send(command::query, "SELECT 1");
    CHECK(one.send(command::clone).next == client_next::stalled);  // in its turn
    one.reply(script().ok());
    const auto step = one.send(command::clone);
    CHECK(step.next == client_next::refused);
    CHECK(step.forward == 0);
    CHECK(step.drop == command_packet(command::clone).size());
    CHECK(one.fsm.refusal().code == 1235);
    CHECK(one.fsm.idle());
    CHECK(one.send(command::ping).next == client_next::more);
    one.reply(script().ok());
    // Longer than is looked at, in a piece, in two frames.
    CHECK(one.send(command::clone, std::string(5000, 'x')).next == client_next::refused);
    CHECK(one.fsm.refusal_sequence() == 1);
    const auto large = command_packet(command::clone, std::string(0xFFFFFF, 'x'));
    const auto cut = one.fsm.on_client(byte_view(large).first(5000), start);
    CHECK(cut.next == client_next::more);
    CHECK(cut.drop == 5000);
    CHECK_FALSE(one.fsm.idle());
    const auto rest = one.fsm.on_client(byte_view(large).subspan(5000), start);
    CHECK(rest.next == client_next::refused);
    CHECK(rest.drop == large.size() - 5000);
    CHECK(one.fsm.refusal_sequence() == 2);
    CHECK(one.fsm.idle());
}

TEST_CASE("multi-statements are what the server has agreed to") {
    const std::string on("\0\0", 2);
    const std::string off("\1\0", 2);
    relay one(modern & ~capability::multi_statements);
    // Of several statements the first may have been done; a text that the server refuses as a whole has done nothing.
    const auto begins = [&](relay& tried) {
        (void)tried.send(command::query, "LOCK TABLES orders READ; SELECT nonsense");
        tried.reply(script().err(1064));
        return tried.fsm.holds_locks();
    };
    CHECK_FALSE(begins(one));
    (void)one.send(command::set_option, on);
    one.reply(script().err(1047));
    CHECK_FALSE(begins(one));
    (void)one.send(command::set_option, on);
    one.reply(script().ok());
    (void)one.send(command::set_option, off);
    one.reply(script().ok());
    CHECK_FALSE(begins(one));
    // Behind one that is under way the text may hold several.
    (void)one.send(command::set_option, on);
    (void)one.send(command::query, "LOCK TABLES orders READ; SELECT nonsense");
    one.reply(script().ok());
    one.reply(script().err(1054));
    CHECK(one.fsm.holds_locks());
    (void)one.send(command::query, "UNLOCK TABLES");
    one.reply(script().ok());
    CHECK(begins(one));
}

TEST_CASE("a text behind what may change its meaning may touch all") {
    for (const char* before : {"USE elsewhere", "SET sql_mode = 'ANSI_QUOTES'", "SET NAMES gbk", "CALL p()"}) {
        INFO(before);
        relay one;
        (void)one.send(command::query, before);
        (void)one.send(command::query, "SELECT \"orders\"");
        one.reply(script().ok());
        CHECK(one.uses());
        one.reply(script().ok());
        CHECK_FALSE(one.uses());
    }
    relay one;
    (void)one.send(command::query, "SELECT 1");
    (void)one.send(command::query, "SELECT 2");
    CHECK_FALSE(one.uses());
}

TEST_CASE("behind progress reports an error has any number") {
    response_tracker tracker;
    tracker.set_capabilities(classic | capability::mariadb_progress);
    const std::string progress("\xff\xff\xff\1\2\3\0\0\0\5stage", 15);
    for (const int reports : {254, 255, 256, 511}) {
        INFO(reports);
        expected_reply reply;
        reply.command = command::query;
        tracker.expect(std::move(reply));
        script stream(classic | capability::mariadb_progress);
        for (int i = 0; i < reports; ++i) stream.raw(progress);
        stream.err(1317);
        CHECK(tracker.on_bytes(stream.bytes()).event == reply_event::reply_ended);
        CHECK(tracker.take_ended().error_code == 1317);
        CHECK(tracker.idle());
    }
}

TEST_CASE("replies without definitions, and progress reports") {
    const auto expect = [](command kind) {
        expected_reply reply;
        reply.command = kind;
        return reply;
    };
    const std::string progress(
        "\xff\xff\xff\x01\x01\x02\0\0\0\x04"
        "copy",
        14);
    struct {
        const char* name;
        capability_flags more;
        command kind;
        std::vector<std::string> packets;
    } const replies[] = {
        {"no definitions", capability::optional_resultset_metadata, command::query, {std::string("\x02\0", 2)}},
        {"definitions cached", capability::mariadb_cache_metadata, command::stmt_execute, {std::string("\x02\0", 2)}},
        {"definitions",
         capability::optional_resultset_metadata,
         command::query,
         {"\x01\x01",
          "\x03"
          "def"}},
        {"progress",
         capability::mariadb_progress,
         command::query,
         {progress, progress, "\x01", progress,
          "\x03"
          "def"}},
    };
    for (const auto& reply : replies) {
        for (const auto base : {modern, classic}) {
            INFO(reply.name << (base == modern ? ", modern" : ", classic"));
            const auto caps = base | reply.more;
            script stream(caps);
            for (const auto& packet : reply.packets) stream.raw(packet);
            if (base == classic) stream.eof();
            stream
                .raw(
                    "\x01"
                    "1")
                .raw(
                    "\x01"
                    "2");
            if ((reply.more & capability::mariadb_progress) != 0) stream.raw(progress);
            stream.terminator();
            for (std::size_t cut = 0; cut <= stream.bytes().size(); ++cut) {
                response_tracker tracker;
                tracker.set_capabilities(caps);
                tracker.expect(expect(reply.kind));
                const auto first = tracker.on_bytes(byte_view(stream.bytes()).first(cut));
                if (cut < stream.bytes().size()) REQUIRE(first.event == reply_event::more);
                if (first.event == reply_event::more) {
                    REQUIRE(tracker.on_bytes(byte_view(stream.bytes()).subspan(cut)).event == reply_event::reply_ended);
                }
                CHECK_FALSE(tracker.take_ended().failed);
                CHECK(tracker.idle());
            }
        }
    }
    // 5.6 does not say behind OUT parameters that an OK follows, but before them.
    {
        constexpr status_flags before =
            server_status::autocommit | server_status::ps_out_params | server_status::more_results_exist;
        script stream(classic);
        stream.raw("\x01")
            .raw(
                "\x03"
                "def")
            .eof(before)
            .raw(std::string(3, '\0'))
            .eof()
            .ok();
        response_tracker tracker;
        tracker.set_capabilities(classic);
        tracker.expect(expect(command::stmt_execute));
        const auto step = tracker.on_bytes(stream.bytes());
        CHECK(step.event == reply_event::reply_ended);
        CHECK(step.consumed == stream.bytes().size());
    }
    // Neither are definitions of a prepared statement, but their EOFs are.
    for (const auto base : {modern, classic}) {
        script stream(base);
        stream.raw(std::string("\0\1\0\0\0\2\0\1\0\0\0\0\0", 13));
        if (base == classic) stream.eof().eof();
        response_tracker tracker;
        tracker.set_capabilities(base | capability::optional_resultset_metadata);
        tracker.expect(expect(command::stmt_prepare));
        const auto step = tracker.on_bytes(stream.bytes());
        CHECK(step.event == reply_event::reply_ended);
        CHECK(step.consumed == stream.bytes().size());
    }
    // Who has not asked for reports gets an error of that number.
    response_tracker tracker;
    tracker.set_capabilities(modern);
    tracker.expect(expect(command::query));
    CHECK(tracker.on_bytes(script().raw(progress).bytes()).event == reply_event::reply_ended);
}

TEST_CASE("locks that outlive a statement are read from its text") {
    using sql::statement_kind;
    CHECK(flush_lock_of("FLUSH TABLES", statement_kind::flush, {}) == flush_lock::none);
    CHECK(flush_lock_of("FLUSH TABLES WITH READ LOCK", statement_kind::flush, {}) == flush_lock::global);
    CHECK(flush_lock_of("FLUSH LOCAL TABLES `with`, b WITH READ LOCK", statement_kind::flush, {}) ==
          flush_lock::tables);
    CHECK(flush_lock_of("FLUSH TABLE t FOR EXPORT", statement_kind::flush, {}) == flush_lock::tables);
    CHECK(flush_lock_of("SELECT 'FLUSH TABLES WITH READ LOCK'", statement_kind::other, {}) == flush_lock::none);
    CHECK(flush_lock_of("FLUSH LOGS; SELECT lock", statement_kind::other, {}) == flush_lock::none);
    CHECK(flush_lock_of("DO 1; FLUSH TABLES t WITH READ LOCK; FLUSH TABLES WITH READ LOCK", statement_kind::other,
                        {}) == flush_lock::global);
    CHECK(flush_lock_of("FLUSH TABLES WITH READ LOCK", statement_kind::select, {}) == flush_lock::none);
    CHECK(handler_alias("HANDLER t OPEN", {}) == "t");
    CHECK(handler_alias("handler s.T open As `H x`", {}) == "h x");
    CHECK(handler_alias("HANDLER s.t OPEN h", {}) == "h");
    CHECK(handler_alias("HANDLER h CLOSE", {}) == "h");
    CHECK(handler_alias("SELECT h", {}).empty());
}

}  // namespace
}  // namespace sluice::session

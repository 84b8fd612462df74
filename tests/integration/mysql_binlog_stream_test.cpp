// The binlog stream against real servers: every event arrives and decodes, and every way in which a stream ends is
// told.

#include "tests/support/catch.hpp"

#include "migration/mysql/binlog_stream.hpp"
#include "protocol/binlog/event_decoder.hpp"
#include "tests/integration/mysql_address.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

using namespace sluice::migration;
using namespace std::chrono_literals;
using sluice::test::address_of;
using sluice::test::mysql_server;
using sluice::test::server_kind;
using sluice::test::start_server;
namespace binlog = sluice::binlog;
namespace test = sluice::test;

namespace {

/// Long enough for any machine; a test that comes to it has failed.
constexpr auto patience = 30s;

/// Where a stream begins that is to see everything from now on.
feed_start from_now(test::sql_connection& root, bool by_gtid) {
    feed_start start;
    if (by_gtid) {
        start.executed = binlog::gtid_set::parse(root.scalar("SELECT @@GLOBAL.gtid_executed")).value();
        return start;
    }
    test::rows status;
    if (root.error_of("SHOW BINARY LOG STATUS") == 0) {
        status = root.query("SHOW BINARY LOG STATUS");
    } else {
        status = root.query("SHOW MASTER STATUS");
    }
    start.from = {status.at(0).at(0).value(), std::stoull(status.at(0).at(1).value())};
    return start;
}

/// Reads and decodes until an event satisfies the condition; what came before is kept by type.
class follower {
public:
    explicit follower(change_feed& feed, const feed_start& start) : feed_(feed) {
        binlog::decoder_options options;
        options.checksum = feed.checksum();
        decoder_ = std::make_unique<binlog::event_decoder>(options);
        decoder_->begin_at(start.from);
    }

    template <class Condition>
    bool read_until(Condition condition) {
        const auto until = std::chrono::steady_clock::now() + patience;
        while (std::chrono::steady_clock::now() < until) {
            const auto raw = feed_.next(100ms);
            if (raw.has_error()) {
                failed = raw.error();
                return false;
            }
            if (!*raw) continue;
            const auto fed = decoder_->feed(**raw);
            INFO((fed.has_error() ? fed.error().what : std::string()));
            REQUIRE(fed.has_value());
            for (auto event = decoder_->next(); true; event = decoder_->next()) {
                INFO((event.has_error() ? event.error().what : std::string()));
                REQUIRE(event.has_value());
                if (!*event) break;
                seen.push_back((*event)->header.type);
                largest_event_bytes = std::max<std::size_t>(largest_event_bytes, (*event)->header.event_size);
                if (condition(**event)) return true;
            }
        }
        FAIL("the event did not come");
        return false;
    }

    bool saw(binlog::event_type type) const { return std::ranges::find(seen, type) != seen.end(); }

    std::vector<binlog::event_type> seen;
    std::size_t largest_event_bytes = 0;
    std::optional<failure> failed;

private:
    change_feed& feed_;
    std::unique_ptr<binlog::event_decoder> decoder_;
};

bool is_xid(const binlog::decoded_event& event) { return event.header.type == binlog::event_type::xid; }

bool is_heartbeat(const binlog::decoded_event& event) {
    return event.header.type == binlog::event_type::heartbeat || event.header.type == binlog::event_type::heartbeat_v2;
}

std::unique_ptr<change_feed> attached(const mysql_server& server, const feed_start& start,
                                      binlog_stream_options options = {}) {
    auto feed = binlog_stream_source(address_of(server), options).attach(start);
    INFO((feed.has_error() ? feed.error().code + ": " + feed.error().message : std::string()));
    REQUIRE(feed.has_value());
    return std::move(feed).value();
}

/// Reads until the stream fails, which it must.
failure failure_of(change_feed& feed) {
    const auto until = std::chrono::steady_clock::now() + patience;
    while (std::chrono::steady_clock::now() < until) {
        auto got = feed.next(100ms);
        if (got.has_error()) {
            // The stream stays failed, and says the same again.
            auto again = feed.next(1ms);
            REQUIRE(again.has_error());
            CHECK(again.error().code == got.error().code);
            return std::move(got).error();
        }
    }
    FAIL("the stream did not fail");
    return {};
}

struct source_case {
    server_kind kind;
    bool by_gtid;
    std::vector<std::string> arguments;
};

void create_table(test::sql_connection& root) {
    root.exec("CREATE TABLE test.t (id INT PRIMARY KEY, v LONGBLOB) ENGINE=InnoDB");
}

}  // namespace

TEST_CASE("an attached stream brings what is written afterwards, and the events decode") {
    const auto source =
        GENERATE(source_case{server_kind::mysql_9_7, true, {}},
                 source_case{server_kind::mysql_9_7, false, {"--gtid-mode=OFF", "--enforce-gtid-consistency=OFF"}},
                 source_case{server_kind::mysql_9_7, true, {"--binlog-checksum=NONE"}},
                 source_case{server_kind::mysql_9_7, false, {}}, source_case{server_kind::mysql_5_6, false, {}},
                 source_case{server_kind::mysql_5_6, false, {"--binlog-checksum=NONE"}},
                 source_case{server_kind::mariadb_10_11, false, {"--binlog-checksum=CRC32"}},
                 source_case{server_kind::mariadb_10_11, false, {"--binlog-checksum=NONE"}});
    CAPTURE(sluice::throwaway::to_string(source.kind), source.by_gtid, source.arguments);
    const auto server = start_server(source.kind, source.arguments);
    auto root = test::connect(server);
    create_table(root);
    const auto start = from_now(root, source.by_gtid);
    const auto feed = attached(server, start);
    follower events(*feed, start);

    root.exec("INSERT INTO test.t VALUES (1, 'one')");
    REQUIRE(events.read_until(is_xid));
    CHECK(events.seen.front() == binlog::event_type::rotate);
    CHECK(events.saw(binlog::event_type::format_description));
    CHECK(events.saw(binlog::event_type::table_map));
    CHECK((events.saw(binlog::event_type::write_rows) || events.saw(binlog::event_type::write_rows_v1)));
    if (source.kind == server_kind::mariadb_10_11) CHECK(events.saw(binlog::event_type::mariadb_gtid));
    if (source.by_gtid) CHECK(events.saw(binlog::event_type::gtid));
    // Nothing from before the start: one transaction of one table.
    CHECK(std::ranges::count(events.seen, binlog::event_type::table_map) == 1);
    CHECK(std::ranges::count(events.seen, binlog::event_type::query) <= 1);  // BEGIN; MariaDB has none

    events.seen.clear();
    REQUIRE(events.read_until(is_heartbeat));

    // The stream goes on over a change of files.
    root.exec("FLUSH LOGS");
    root.exec("DELETE FROM test.t");
    events.seen.clear();
    REQUIRE(events.read_until(is_xid));
    CHECK(events.saw(binlog::event_type::rotate));
    CHECK((events.saw(binlog::event_type::delete_rows) || events.saw(binlog::event_type::delete_rows_v1)));
}

TEST_CASE("an event of more than 16 MiB arrives whole; one above the limit ends the stream") {
    const auto by_gtid = GENERATE(true, false);
    const auto server = start_server(server_kind::mysql_9_7, {"--max-allowed-packet=67108864"});
    auto root = test::connect(server);
    create_table(root);
    const auto start = from_now(root, by_gtid);
    const auto feed = attached(server, start);
    const auto narrow = attached(server, start, {.event_bytes_max = 1 << 20});
    follower events(*feed, start);
    // 33 554 404 and some bytes around them: past the second boundary of 2^24 - 1.
    root.exec("INSERT INTO test.t VALUES (1, REPEAT('x', 33554404))");
    REQUIRE(events.read_until(is_xid));
    CHECK(events.largest_event_bytes > 33'554'404);

    const auto failed = failure_of(*narrow);
    CHECK(failed.code == "event_too_large");
    CHECK(failed.then == disposition::abort);
}

TEST_CASE("a start that is no longer there is told as purged, and not to be tried again") {
    const auto source =
        GENERATE(source_case{server_kind::mysql_9_7, true, {}}, source_case{server_kind::mysql_9_7, false, {}},
                 source_case{server_kind::mysql_5_6, false, {}}, source_case{server_kind::mariadb_10_11, false, {}});
    CAPTURE(sluice::throwaway::to_string(source.kind), source.by_gtid);
    // Messages of the server are told apart by their text: a server that speaks another language must be understood
    // too.
    auto arguments = source.arguments;
    if (source.kind != server_kind::mariadb_10_11) arguments.push_back("--lc-messages=de_DE");
    const auto server = start_server(source.kind, arguments);
    auto root = test::connect(server);
    const auto start = from_now(root, source.by_gtid);
    create_table(root);
    root.exec("FLUSH LOGS");
    root.exec("FLUSH LOGS");
    const auto logs = root.query("SHOW BINARY LOGS");
    root.exec("PURGE BINARY LOGS TO '" + logs.back().at(0).value() + "'");
    const auto feed = attached(server, start);
    const auto failed = failure_of(*feed);
    INFO(failed.message);
    CHECK(failed.code == "binlog_purged");
    CHECK(failed.server_errno == 1236);
    CHECK(failed.then == disposition::abort);
}

TEST_CASE("a position that no file has is refused in the server's words") {
    const auto server = start_server(server_kind::mysql_9_7);
    auto root = test::connect(server);
    auto start = from_now(root, false);
    start.from.position += 1'000'000;
    const auto failed = failure_of(*attached(server, start));
    INFO(failed.message);
    CHECK(failed.code == "binlog_refused");
    CHECK(failed.then == disposition::abort);
}

TEST_CASE("a server that dies, closes or falls silent makes the stream lost") {
    const auto kind = GENERATE(server_kind::mysql_9_7, server_kind::mysql_5_6, server_kind::mariadb_10_11);
    CAPTURE(sluice::throwaway::to_string(kind));
    auto server = start_server(kind);
    auto root = test::connect(server);
    const auto start = from_now(root, false);
    const binlog_stream_options options{.heartbeat_interval = 200ms, .silence_limit = 1500ms};

    SECTION("killed") {
        const auto feed = attached(server, start, options);
        follower events(*feed, start);
        REQUIRE(events.read_until(is_heartbeat));
        server.kill();
        CHECK(failure_of(*feed).code == "stream_lost");
        CHECK(failure_of(*feed).then == disposition::retry);
    }
    SECTION("shut down") {
        const auto feed = attached(server, start, options);
        follower events(*feed, start);
        REQUIRE(events.read_until(is_heartbeat));
        server.stop();
        const auto failed = failure_of(*feed);
        CHECK(failed.code == "stream_lost");
        CHECK(failed.then == disposition::retry);
    }
    SECTION("its dump thread is killed") {
        const auto feed = attached(server, start, options);
        follower events(*feed, start);
        REQUIRE(events.read_until(is_heartbeat));
        root.exec("KILL " +
                  root.scalar("SELECT ID FROM information_schema.processlist WHERE COMMAND LIKE 'Binlog Dump%'"));
        const auto failed = failure_of(*feed);
        INFO(failed.message);
        CHECK(failed.code == "stream_lost");
        CHECK(failed.then == disposition::retry);
    }
    SECTION("silent, although heartbeats are due") {
        const auto feed = attached(server, start, options);
        follower events(*feed, start);
        REQUIRE(events.read_until(is_heartbeat));
        server.suspend();
        const auto failed = failure_of(*feed);
        server.resume();
        CHECK(failed.code == "stream_lost");
        CHECK(failed.then == disposition::retry);
    }
    SECTION("silent before the login") {
        server.suspend();
        const auto late = binlog_stream_source(address_of(server), {.connect_limit = 500ms}).attach(start);
        server.resume();
        REQUIRE(late.has_error());
        CHECK(late.error().code == "cannot_connect");
        CHECK(late.error().then == disposition::retry);
    }
}

TEST_CASE("heartbeats keep a quiet stream alive") {
    const auto kind = GENERATE(server_kind::mysql_9_7, server_kind::mysql_5_6, server_kind::mariadb_10_11);
    CAPTURE(sluice::throwaway::to_string(kind));
    const auto server = start_server(kind);
    auto root = test::connect(server);
    const auto start = from_now(root, false);
    // The heartbeats come five times as often as the limit; several limits pass.
    const auto feed = attached(server, start, {.heartbeat_interval = 100ms, .silence_limit = 500ms});
    follower events(*feed, start);
    for (int i = 0; i < 20; ++i) REQUIRE(events.read_until(is_heartbeat));
}

TEST_CASE("stop() ends a blocked next(), from another thread and for good") {
    const auto server = start_server(server_kind::mysql_9_7);
    auto root = test::connect(server);
    const auto start = from_now(root, true);
    // No heartbeat comes in between: next() is blocked for as long as it likes.
    const auto feed = attached(server, start, {.heartbeat_interval = 60s, .silence_limit = 300s});
    std::thread stopper;
    std::optional<failure> failed;
    const auto until = std::chrono::steady_clock::now() + patience;
    while (!failed && std::chrono::steady_clock::now() < until) {
        const auto got = feed->next(stopper.joinable() ? 60s : 200ms);
        if (got.has_error()) failed = got.error();
        if (!stopper.joinable()) stopper = std::thread([&feed] { feed->stop(); });
    }
    stopper.join();
    REQUIRE(failed);
    CHECK(failed->code == "stopped");
    CHECK(failed->then == disposition::abort);
    const auto again = feed->next(60s);
    REQUIRE(again.has_error());
    CHECK(again.error().code == "stopped");
}

namespace {

/// Two streams of one server id, the first of which lives when the second one begins.
struct two_streams {
    explicit two_streams(server_kind kind)
        : server(start_server(kind)),
          root(test::connect(server)),
          start(from_now(root, kind == server_kind::mysql_9_7)),
          first(attached(server, start, options)),
          first_events(*first, start) {
        REQUIRE(first_events.read_until(is_heartbeat));
        second = attached(server, start, options);
        follower second_events(*second, start);
        REQUIRE(second_events.read_until(is_heartbeat));
    }

    const binlog_stream_options options{.server_id = 4711, .heartbeat_interval = 100ms};
    mysql_server server;
    test::sql_connection root;
    feed_start start;
    std::unique_ptr<change_feed> first;
    follower first_events;
    std::unique_ptr<change_feed> second;
};

}  // namespace

TEST_CASE("two streams of one server id: on MySQL neither disturbs the other, since their UUIDs differ") {
    two_streams streams(server_kind::mysql_9_7);
    for (int i = 0; i < 5; ++i) REQUIRE(streams.first_events.read_until(is_heartbeat));
}

TEST_CASE("MariaDB ends the older of two streams with one server id, and that is to be tried again") {
    two_streams streams(server_kind::mariadb_10_11);
    const auto failed = failure_of(*streams.first);
    CAPTURE(failed.code, failed.message);
    CHECK(failed.code == "stream_displaced");
    CHECK(failed.then == disposition::retry);
}

TEST_CASE("an account with sha256_password; and an unknown one is refused whatever plugin the server names for it") {
    const auto kind = GENERATE(server_kind::mysql_9_7, server_kind::mysql_5_6);
    CAPTURE(sluice::throwaway::to_string(kind));
    auto server = start_server(kind);
    auto root = test::connect(server);
    const auto start = from_now(root, false);
    auto address = address_of(server);
    // The server hides which accounts exist by naming a plugin that it draws from the name.
    for (int number = 1; number <= 8; ++number) {
        address.user = "nobody" + std::to_string(number);
        const auto refused = binlog_stream_source(address).attach(start);
        REQUIRE(refused.has_error());
        CAPTURE(refused.error().message);
        CHECK(refused.error().code == "access_denied");
    }
    if (kind == server_kind::mysql_5_6) return;  // its build has no key for the plugin
    root.exec("CREATE USER 'reader'@'%' IDENTIFIED WITH sha256_password BY 'reader-secret'");
    root.exec("GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO 'reader'@'%'");
    address.user = "reader";
    address.password = "reader-secret";
    auto feed = binlog_stream_source(address).attach(start);
    REQUIRE(feed.has_value());
    follower events(**feed, start);
    CHECK(events.read_until(is_heartbeat));
}

TEST_CASE("a cold password cache, a wrong password, a missing privilege, a closed port") {
    const auto kind = GENERATE(server_kind::mysql_9_7, server_kind::mysql_5_6, server_kind::mariadb_10_11);
    CAPTURE(sluice::throwaway::to_string(kind));
    auto server = start_server(kind);
    auto root = test::connect(server);
    const auto start = from_now(root, false);
    auto address = address_of(server);

    root.exec("FLUSH PRIVILEGES");
    for (const bool by_socket : {false, false, true}) {
        if (by_socket) root.exec("FLUSH PRIVILEGES");
        address.unix_socket = by_socket ? server.socket_file().string() : "";
        auto feed = binlog_stream_source(address).attach(start);
        REQUIRE(feed.has_value());
        follower events(**feed, start);
        CHECK(events.read_until(is_heartbeat));
    }
    address.unix_socket.clear();

    address.password = "wrong";
    const auto refused = binlog_stream_source(address).attach(start);
    REQUIRE(refused.has_error());
    CHECK(refused.error().code == "access_denied");
    CHECK(refused.error().server_errno == 1045);
    CHECK(refused.error().then == disposition::abort);

    root.exec("CREATE USER 'reader'@'%' IDENTIFIED BY 'reader-secret'");
    address.user = "reader";
    address.password = "reader-secret";
    const auto feed = binlog_stream_source(address).attach(start);
    REQUIRE(feed.has_value());
    const auto unprivileged = failure_of(**feed);
    CHECK(unprivileged.code == "access_denied");
    CHECK(unprivileged.then == disposition::abort);

    server.stop();
    const auto unreachable = binlog_stream_source(address_of(server)).attach(start);
    REQUIRE(unreachable.has_error());
    CHECK(unreachable.error().code == "cannot_connect");
    CHECK(unreachable.error().then == disposition::retry);
}

// The binlog stream against a scripted server: what a real one does not do on demand.

#include "tests/support/catch.hpp"

#include "migration/mysql/binlog_stream.hpp"
#include "protocol/message/replication_command.hpp"
#include "protocol/wire/frame.hpp"
#include "tests/unit/mysql/scripted_server.hpp"

#include <thread>

using namespace sluice::migration;
using namespace std::chrono_literals;
using sluice::test::scripted_connection;
using sluice::test::scripted_server;
namespace protocol = sluice::protocol;

namespace {

protocol::byte_buffer event_packet(std::size_t event_bytes, unsigned char fill = 'e') {
    protocol::byte_buffer packet(event_bytes + 1, static_cast<std::byte>(fill));
    packet[0] = std::byte{0};
    return packet;
}

outcome<std::unique_ptr<change_feed>> attach(const scripted_server& server, binlog_stream_options options = {}) {
    server_address address;
    address.port = server.port();
    address.user = "u";
    address.password = "p";
    feed_start start;
    start.from = {"binlog.000003", 777};
    return binlog_stream_source(address, options).attach(start);
}

/// The first failure of the stream that the script serves after the dump command.
failure failure_after(const std::function<void(scripted_connection&)>& script, binlog_stream_options options = {}) {
    scripted_server server([&](scripted_connection& connection) {
        connection.serve_until_dump();
        script(connection);
    });
    auto feed = attach(server, options);
    REQUIRE(feed.has_value());
    while (true) {
        auto got = (*feed)->next(30s);
        if (got.has_error()) return std::move(got).error();
        REQUIRE(got->has_value());  // 30 s without anything is a failure of the test
    }
}

}  // namespace

TEST_CASE("a stream is announced, asked for, and read event by event") {
    std::vector<std::string> statements;
    protocol::byte_buffer command;
    scripted_server server([&](scripted_connection& connection) {
        connection.serve_until_dump();
        statements = connection.statements;
        command = connection.dump_command;
        for (const std::size_t size : {1UL, 5'000UL, 300'000UL}) connection.send_packet(event_packet(size));
        connection.wait_for_close();
    });
    auto feed = attach(server, {.server_id = 4711});
    REQUIRE(feed.has_value());
    for (const std::size_t size : {1UL, 5'000UL, 300'000UL}) {
        const auto event = (*feed)->next(30s);
        REQUIRE(event.has_value());
        REQUIRE(event->has_value());
        CHECK((*event)->size() == size);
        CHECK((*event)->front() == std::byte{'e'});
        CHECK((*event)->back() == std::byte{'e'});
    }
    const auto nothing = (*feed)->next(1ms);
    REQUIRE(nothing.has_value());
    CHECK_FALSE(nothing->has_value());

    feed->reset();
    server.join();
    REQUIRE(statements.size() == 2);
    CHECK(statements[0].find("SET SESSION net_write_timeout") != std::string::npos);
    CHECK(statements[1].find("@source_binlog_checksum = 'CRC32'") != std::string::npos);
    CHECK(statements[1].find("@source_heartbeat_period = 1000000000,") != std::string::npos);
    const auto dump = protocol::parse_binlog_dump(command).value();
    CHECK(dump.file == "binlog.000003");
    CHECK(dump.position == 777);
    CHECK(dump.server_id == 4711);
}

TEST_CASE("events at the frame boundaries are put together") {
    constexpr std::size_t frame = protocol::frame_payload_size_max;
    const std::vector<std::size_t> sizes{frame - 2, frame - 1, frame, 2 * frame - 1};
    scripted_server server([&](scripted_connection& connection) {
        connection.serve_until_dump();
        for (const auto size : sizes) connection.send_packet(event_packet(size, 'x'));
        connection.send_packet(event_packet(3, 'y'));
        connection.wait_for_close();
    });
    auto feed = attach(server);
    REQUIRE(feed.has_value());
    for (const auto size : sizes) {
        const auto event = (*feed)->next(30s);
        REQUIRE(event.has_value());
        REQUIRE(event->has_value());
        CHECK((*event)->size() == size);
    }
    const auto last = (*feed)->next(30s);
    REQUIRE(last.has_value());
    CHECK((*last)->front() == std::byte{'y'});
}

TEST_CASE("an event that comes in pieces is kept between two calls") {
    scripted_server server([&](scripted_connection& connection) {
        connection.serve_until_dump();
        // Header of a 3-byte packet with sequence id 1, and its first byte.
        const unsigned char head[] = {3, 0, 0, 1, 0};
        connection.send_raw({reinterpret_cast<const std::byte*>(head), sizeof head});
        (void)connection.read_packet();  // the test's sign that it has waited: the end of the connection or bytes
    });
    auto feed = attach(server);
    REQUIRE(feed.has_value());
    for (int i = 0; i < 3; ++i) {
        const auto part = (*feed)->next(5ms);
        REQUIRE(part.has_value());
        CHECK_FALSE(part->has_value());
    }
}

TEST_CASE("an event above the limit ends the stream before its bytes are stored") {
    SECTION("in one frame") {
        const auto failed =
            failure_after([](scripted_connection& c) { c.send_packet(event_packet(1001)); }, {.event_bytes_max = 1000});
        CHECK(failed.code == "event_too_large");
        CHECK(failed.then == disposition::abort);
    }
    SECTION("known from the header alone") {
        const auto failed = failure_after(
            [](scripted_connection& c) {
                const unsigned char head[] = {0xFF, 0xFF, 0xFF, 1};
                c.send_raw({reinterpret_cast<const std::byte*>(head), sizeof head});
                c.wait_for_close();
            },
            {.event_bytes_max = 1000});
        CHECK(failed.code == "event_too_large");
    }
    SECTION("over several frames") {
        const auto failed = failure_after(
            [](scripted_connection& c) { c.send_packet(event_packet(protocol::frame_payload_size_max + 5)); },
            {.event_bytes_max = protocol::frame_payload_size_max + 4});
        CHECK(failed.code == "event_too_large");
    }
    SECTION("an event of exactly the limit passes") {
        const auto failed =
            failure_after([](scripted_connection& c) { c.send_packet(event_packet(1000)); }, {.event_bytes_max = 1000});
        CHECK(failed.code == "stream_lost");  // the script closed the connection after it
    }
}

TEST_CASE("how streams end") {
    struct ending {
        const char* what;
        std::function<void(scripted_connection&)> script;
        const char* code;
        disposition then;
    };
    const std::vector<ending> endings{
        {"connection closed", [](scripted_connection&) {}, "stream_lost", disposition::retry},
        {"EOF packet",
         [](scripted_connection& c) {
             const unsigned char eof[] = {0xFE, 0, 0, 2, 0};
             c.send_packet({reinterpret_cast<const std::byte*>(eof), sizeof eof});
         },
         "stream_lost", disposition::retry},
        {"purged", [](scripted_connection& c) { c.send_err(1236, "Could not find first log file name in index"); },
         "binlog_purged", disposition::abort},
        {"an ERR after events",
         [](scripted_connection& c) {
             c.send_packet(event_packet(20));
             c.send_err(1236, "binlog truncated in the middle of event");
         },
         "binlog_refused", disposition::abort},
        {"an ERR cut short",
         [](scripted_connection& c) {
             const unsigned char err[] = {0xFF, 1};
             c.send_packet({reinterpret_cast<const std::byte*>(err), sizeof err});
         },
         "protocol_violation", disposition::abort},
        {"an empty packet", [](scripted_connection& c) { c.send_packet({}); }, "protocol_violation",
         disposition::abort},
        {"an unknown first byte",
         [](scripted_connection& c) {
             const unsigned char odd[] = {0x42, 0, 0};
             c.send_packet({reinterpret_cast<const std::byte*>(odd), sizeof odd});
         },
         "protocol_violation", disposition::abort},
        {"a sequence id that is not due",
         [](scripted_connection& c) {
             const unsigned char odd[] = {1, 0, 0, 9, 0};
             c.send_raw({reinterpret_cast<const std::byte*>(odd), sizeof odd});
             c.wait_for_close();
         },
         "protocol_violation", disposition::abort},
    };
    for (const auto& one : endings) {
        CAPTURE(one.what);
        const auto failed = failure_after(one.script);
        CHECK(failed.code == one.code);
        CHECK(failed.then == one.then);
    }
}

TEST_CASE("silence is measured: before the first event, and between events") {
    const auto failed_late = failure_after([](scripted_connection& c) { c.wait_for_close(); },
                                           {.silence_limit = 10ms, .first_event_limit = 60ms});
    CHECK(failed_late.code == "stream_lost");
    const auto failed_between = failure_after(
        [](scripted_connection& c) {
            c.send_packet(event_packet(20));
            c.wait_for_close();
        },
        {.silence_limit = 40ms, .first_event_limit = 30s});
    CHECK(failed_between.code == "stream_lost");
    CHECK(failed_between.then == disposition::retry);
}

TEST_CASE("what arrived while nobody asked is not taken for silence") {
    scripted_server server([&](scripted_connection& connection) {
        connection.serve_until_dump();
        connection.send_packet(event_packet(10));
        connection.send_packet(event_packet(11));
        connection.wait_for_close();
    });
    auto feed = attach(server, {.silence_limit = 1ms, .first_event_limit = 30s});
    REQUIRE(feed.has_value());
    const auto first = (*feed)->next(30s);
    REQUIRE(first.has_value());
    REQUIRE(first->has_value());
    const auto later = std::chrono::steady_clock::now() + 30ms;  // the limit passes many times over
    while (std::chrono::steady_clock::now() < later) std::this_thread::yield();
    const auto second = (*feed)->next(30s);
    REQUIRE(second.has_value());
    REQUIRE(second->has_value());
    CHECK((*second)->size() == 11);
}

TEST_CASE("a login that fails or goes wrong") {
    SECTION("refused by the server") {
        scripted_server server([](scripted_connection& c) { c.send_err(1130, "Host is not allowed"); });
        const auto feed = attach(server);
        REQUIRE(feed.has_error());
        CHECK(feed.error().code == "access_denied");
        CHECK(feed.error().server_errno == 1130);
    }
    SECTION("too many connections") {
        scripted_server server([](scripted_connection& c) { c.send_err(1040, "Too many connections"); });
        const auto feed = attach(server);
        REQUIRE(feed.has_error());
        CHECK(feed.error().code == "too_many_connections");
        CHECK(feed.error().then == disposition::retry);
    }
    SECTION("no MySQL at all") {
        scripted_server server(
            [](scripted_connection& c) { c.send_raw(protocol::as_bytes("HTTP/1.1 400 Bad Request\r\n")); });
        const auto feed = attach(server);
        REQUIRE(feed.has_error());
        CHECK((feed.error().code == "protocol_violation" || feed.error().code == "event_too_large" ||
               feed.error().code == "cannot_connect"));
    }
    SECTION("closed in the middle") {
        scripted_server server([](scripted_connection&) {});
        const auto feed = attach(server);
        REQUIRE(feed.has_error());
        CHECK(feed.error().code == "cannot_connect");
        CHECK(feed.error().then == disposition::retry);
    }
    SECTION("a setting is refused") {
        scripted_server server([](scripted_connection& c) {
            c.log_in();
            (void)c.read_packet();
            c.send_err(1193, "Unknown system variable");
        });
        const auto feed = attach(server);
        REQUIRE(feed.has_error());
        CHECK(feed.error().code == "server_error");
        CHECK(feed.error().attempted.find("SET SESSION") == 0);
    }
}

TEST_CASE("nobody listens") {
    std::uint16_t port = 0;
    {
        scripted_server gone([](scripted_connection&) {});
        port = gone.port();
    }
    server_address address;
    address.port = port;
    const auto feed = binlog_stream_source(address).attach({});
    REQUIRE(feed.has_error());
    CHECK(feed.error().code == "cannot_connect");
    CHECK(feed.error().message.find("127.0.0.1:" + std::to_string(port)) != std::string::npos);
    address.unix_socket = "/nonexistent/socket";
    CHECK(binlog_stream_source(address).attach({}).error().code == "cannot_connect");
    address.unix_socket = std::string(500, 'x');
    CHECK(binlog_stream_source(address).attach({}).error().code == "cannot_connect");
}

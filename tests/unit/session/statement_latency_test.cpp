// Timing of statements: what is timed, from when to when, and how the times are counted.

#include "proxy/session/latency_meter.hpp"
#include "proxy/session/session_core.hpp"
#include "tests/unit/session/packets.hpp"

#include <numeric>

namespace sluice::session {
namespace {

using namespace std::chrono_literals;
using protocol::command;

constexpr time_point start{1h};

// A relay behind its login, on a thread with a meter.
struct timed_relay {
    timed_relay() : shard({}), fsm(shard, {.answers_shows = true, .head_bytes_max = 1024, .meter = &meter}) {
        login_facts facts;
        facts.server_version = "9.7.0";
        facts.capabilities = modern;
        facts.status = server_status::autocommit;
        facts.schema = "shop";
        shard.join(fsm);
        fsm.begin(facts, "here", start);
    }
    client_next send(command kind, std::string_view body, time_point at) {
        return fsm.on_client(command_packet(kind, body), at).next;
    }
    void reply(time_point at) { (void)fsm.on_server(script().ok(), at); }
    [[nodiscard]] std::uint64_t timed() const {
        return std::accumulate(meter.counts().begin(), meter.counts().end(), std::uint64_t{0});
    }
    [[nodiscard]] std::uint64_t timed_as(std::chrono::microseconds took) const {
        return meter.counts()[latency_meter::bucket_of(took)];
    }

    latency_meter meter;
    gate_shard shard;
    relay_fsm fsm;
};

TEST_CASE("a statement is timed up to the first byte of its reply") {
    timed_relay one;
    one.meter.switch_on(true);
    (void)one.send(command::query, "SELECT 1", start);
    CHECK(one.fsm.waiting_since() == start);
    script reply;
    reply.ok();
    const protocol::byte_view bytes = reply;
    (void)one.fsm.on_server(bytes.first(1), start + 3ms);
    CHECK_FALSE(one.fsm.waiting_since());
    // A client that reads slowly is nobody's fault but its own.
    (void)one.fsm.on_server(bytes.subspan(1), start + 9s);
    CHECK(one.timed() == 1);
    CHECK(one.timed_as(3ms) == 1);
    (void)one.send(command::stmt_execute, std::string("\1\0\0\0\0\1\0\0\0", 9), start + 10s);
    one.reply(start + 10s + 70us);
    CHECK(one.timed_as(70us) == 1);
}

TEST_CASE("only the first of statements sent ahead is timed, and only statements") {
    timed_relay one;
    one.meter.switch_on(true);
    (void)one.send(command::query, "SELECT 1", start);
    (void)one.send(command::query, "SELECT 2", start + 1ms);
    one.reply(start + 2ms);
    one.reply(start + 2s);
    CHECK(one.timed() == 1);
    CHECK(one.timed_as(2ms) == 1);
    (void)one.send(command::ping, "", start + 3s);
    one.reply(start + 4s);
    (void)one.send(command::stmt_close, std::string(4, '\1'), start + 5s);
    CHECK_FALSE(one.fsm.waiting_since());
    CHECK(one.timed() == 1);
}

TEST_CASE("nothing is timed while nobody wants to know") {
    timed_relay one;
    (void)one.send(command::query, "SELECT 1", start);
    CHECK_FALSE(one.fsm.waiting_since());
    one.meter.switch_on(true);  // in the middle of a statement: its beginning is not known
    one.reply(start + 1ms);
    CHECK(one.timed() == 0);
    (void)one.send(command::query, "SELECT 1", start + 1s);
    one.meter.switch_on(false);
    one.reply(start + 2s);
    CHECK(one.timed() == 0);
    relay_fsm without(one.shard, {true, 1024});
    one.shard.join(without);
    (void)without.on_client(command_packet(command::query, "SELECT 1"), start);
    CHECK_FALSE(without.waiting_since());
}

TEST_CASE("time that a statement is held at a gate is not the server's") {
    timed_relay one;
    one.meter.switch_on(true);
    one.shard.watch(0, {"shop", "orders"});
    one.shard.close(0, start + 5s);
    const protocol::byte_buffer statement = command_packet(command::query, "SELECT * FROM orders");
    REQUIRE(one.fsm.on_client(statement, start).next == client_next::held);
    CHECK_FALSE(one.fsm.waiting_since());
    one.shard.open(0);
    std::vector<gate_seat*> seats;
    one.shard.release(1, start + 1s, seats);
    REQUIRE(seats.size() == 1);
    one.fsm.on_released();
    REQUIRE(one.fsm.on_client(statement, start + 1s).next == client_next::more);
    one.reply(start + 1s + 5ms);
    CHECK(one.timed_as(5ms) == 1);
}

TEST_CASE("buckets follow one another, and none is wider than a sixteenth of its time") {
    for (std::size_t i = 0; i < latency_meter::buckets; ++i) {
        CAPTURE(i);
        const auto longest = latency_meter::longest_of(i);
        CHECK(latency_meter::bucket_of(longest) == i);
        if (i + 1 == latency_meter::buckets) break;
        CHECK(latency_meter::bucket_of(longest + 1us) == i + 1);
        const auto width = latency_meter::longest_of(i + 1) - longest;
        CHECK(width.count() * 16 <= std::max<std::int64_t>(longest.count() + 1, 16));
    }
    CHECK(latency_meter::bucket_of(24h) == latency_meter::buckets - 1);
    CHECK(latency_meter::bucket_of(-1us) == 0);
}

}  // namespace
}  // namespace sluice::session

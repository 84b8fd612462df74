// What a gate presumes of a swap when nobody tells it, and what it refuses then.

#include "tests/unit/session/running_session.hpp"

namespace sluice::session {
namespace {

TEST_CASE("a swap is announced to a gate that is closed and sealed, or not at all") {
    gate_shard shard({});
    running t(shard);
    shard.watch(0, {"shop", "orders"});
    shard.watch(1, {"shop", "shops"}, {.changes_places = false});
    t.done("BEGIN", in_trans);
    t.done("SELECT * FROM other", in_trans);
    CHECK_FALSE(shard.announce(0));
    shard.close(0, start + 1s);
    shard.close(1, start + 1s);
    CHECK_FALSE(shard.announce(0));
    REQUIRE(shard.seal(0));
    CHECK(shard.announce(0));
    CHECK(shard.announce(1));
    SECTION("another attempt begins anew") {
        shard.close(0, start + 1s);
        REQUIRE(shard.seal(0));
        shard.expire(start + 1s);
        CHECK(t.core.relay().outdated() == 0);
    }
    SECTION("whoever has announced it is gone: it is presumed") {
        shard.unwatch(0);
        CHECK(t.core.relay().outdated() == slot_bit(0));
    }
    SECTION("it was given up") {
        shard.open(0, gate_end::given_up);
        CHECK_FALSE(shard.announce(0));
        CHECK(t.core.relay().outdated() == 0);
    }
}

// A closed gate that is full: a session waits at it already.
struct full_gate {
    full_gate() {
        shard.watch(0, {"shop", "orders"});
        for (auto* t : {&reader, &waiting}) {
            t->done("BEGIN", in_trans);
            t->done("SELECT * FROM other", in_trans);
        }
        shard.close(0, start + 1s);
        REQUIRE(shard.seal(0));
        REQUIRE(waiting.client(query_packet(reads)) == core_next::held);
        for (auto* t : {&reader, &caller}) t->to_server.clear();
    }
    static constexpr const char* reads = "SELECT * FROM orders";
    static constexpr const char* calls = "CALL p()";

    gate_shard shard{{.held_statements_max = 1}};
    running reader{shard}, caller{shard}, waiting{shard};
};

TEST_CASE("a full gate lets nobody read by an older snapshot what may yet change places") {
    full_gate gates;
    auto& shard = gates.shard;
    const bool by_call = GENERATE(false, true);
    auto& passes = by_call ? gates.caller : gates.reader;
    const auto* text = by_call ? full_gate::calls : full_gate::reads;
    CHECK(passes.client(query_packet(text)) == core_next::more);
    CHECK(passes.to_server == query_packet(text));
    // It waits in the server for the lock of whoever is about to rename, and would find the new table behind that.
    CHECK(shard.undecided() == 0);
    CHECK_FALSE(shard.announce(0));
    CHECK(shard.in_use_count(0) == 1);
    CHECK(shard.report(0).overflowed == 1);
    CHECK(shard.counters().refused == 0);
    gates.waiting.to_server.clear();
    gates.waiting.released();
    CHECK(gates.waiting.to_server == query_packet(full_gate::reads));
    // What may be held goes on being held: the gate is closed.
    CHECK(shard.holding() == slot_bit(0));
    shard.open(0, gate_end::given_up);
    (void)passes.server(script().ok(by_call ? autocommit : in_trans));
    CHECK(passes.core.relay().outdated() == 0);
}

TEST_CASE("a full gate refuses such a statement once the swap is announced") {
    full_gate gates;
    auto& shard = gates.shard;
    REQUIRE(shard.announce(0));
    const bool by_call = GENERATE(false, true);
    auto& asks = by_call ? gates.caller : gates.reader;
    const auto* text = by_call ? full_gate::calls : full_gate::reads;
    const bool by_itself = GENERATE(false, true);
    if (by_itself) shard.expire(start + 1s);
    asks.to_client.clear();
    (void)asks.client(query_packet(text));
    while (asks.next == core_next::again) (void)asks.look();
    byte_buffer refusal;
    protocol::append_err_reply(refusal, {1412, "HY000", "Table definition has changed, please retry transaction"},
                               modern, 1);
    CHECK(asks.to_server.empty());
    CHECK(asks.to_client == refusal);
    CHECK(shard.counters().refused == 1);
    CHECK(shard.report(0).overflowed == 0);
    CHECK(shard.undecided() == slot_bit(0));
    CHECK(shard.in_use_count(0) == 0);
    // What only begins to wait passes, as at any full gate: it gets a snapshot of its own when it has the table.
    if (!by_call && !by_itself) {
        running fresh(shard);
        CHECK(fresh.client(query_packet(full_gate::reads)) == core_next::more);
        CHECK(shard.report(0).overflowed == 1);
    }
    // The rename has failed.
    shard.open(0, gate_end::given_up);
    gates.waiting.released();
    CHECK(asks.client(query_packet(text)) == core_next::more);
    CHECK(asks.to_server == query_packet(text));
}

TEST_CASE("a full gate that is not sealed lets everybody pass") {
    full_gate gates;
    gates.shard.unseal(0);
    gates.waiting.released();
    CHECK(gates.caller.client(query_packet(full_gate::calls)) == core_next::held);
    CHECK(gates.reader.client(query_packet(full_gate::reads)) == core_next::more);
    CHECK(gates.shard.in_use_count(0) == 2);
    running fresh(gates.shard);
    CHECK(fresh.client(query_packet(full_gate::calls)) == core_next::more);
    CHECK(gates.shard.in_use_count(0) == 3);
    CHECK(gates.shard.report(0).overflowed == 1);
}

TEST_CASE("a procedure held before the gate was sealed waits to be told how the attempt ends") {
    gate_shard shard({});
    running caller(shard);
    running single(shard);
    shard.watch(0, {"shop", "orders"});
    shard.close(0, start + 1s);
    CHECK(caller.client(query_packet("CALL p()")) == core_next::held);
    CHECK(single.client(query_packet("SELECT * FROM orders")) == core_next::held);
    REQUIRE(shard.seal(0));
    const bool announced = GENERATE(false, true);
    if (announced) REQUIRE(shard.announce(0));
    shard.expire(start + 1s);
    std::vector<gate_seat*> released;
    shard.release(9, start + 1s, released);
    CHECK(released.size() == (announced ? 1 : 2));
    shard.open(0, gate_end::swapped);
    shard.release(9, start + 1s, released);
    CHECK(released.size() == 2);
}

}  // namespace
}  // namespace sluice::session

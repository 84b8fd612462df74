#include "proxy/session/gate_shard.hpp"
#include "protocol/result.hpp"
#include "protocol/sql/classifier.hpp"
#include "tests/support/catch.hpp"

#include <memory>
#include <string>
#include <vector>

namespace sluice::session {
namespace {

using namespace std::chrono_literals;

constexpr time_point start{};

class test_seat final : public gate_seat {
public:
    explicit test_seat(std::uint64_t id, bool busy = false) : busy_(busy) { set_ticket(id); }
    seat_view view() const override {
        ++views;
        return {ticket(), "", "", start + std::chrono::seconds(100 - ticket()), false};
    }
    std::uint64_t connection_id() const noexcept override { return ticket(); }

    bool has_snapshot() const override {
        ++looks;
        return snapshot && !reads_anew;
    }
    slot_mask outdated() const override { return outdated_slots; }

    bool snapshot = false;
    bool reads_anew = false;
    slot_mask outdated_slots = 0;
    mutable std::size_t views = 0;  // how often it was asked, these two
    mutable std::size_t looks = 0;

protected:
    slot_mask on_watch(slot_mask added) override { return busy_ ? in_use() | added : in_use(); }
    bool on_swapped(slot_mask swapped) override {
        if (has_snapshot()) outdated_slots |= swapped;
        return has_snapshot();
    }
    void on_reads_anew(time_point since) override { reads_anew = since == view().since; }

private:
    bool busy_;
};

struct shard_with_seats {
    using ids = std::vector<std::uint64_t>;

    explicit shard_with_seats(std::size_t count, gate_limits limits = {}) : shard(limits) {
        for (std::size_t i = 0; i < count; ++i) {
            seats.push_back(std::make_unique<test_seat>(i));
            shard.join(*seats.back());
        }
    }
    ids release(std::size_t burst, time_point now = start) {
        std::vector<gate_seat*> released;
        shard.release(burst, now, released);
        ids tickets;
        for (const auto* seat : released) tickets.push_back(seat->ticket());
        return tickets;
    }
    gate_shard shard;
    std::vector<std::unique_ptr<test_seat>> seats;
};

TEST_CASE("held seats go on first come, first served, a burst at a time") {
    shard_with_seats t(6);
    t.shard.watch(0, {"s", "t"});
    CHECK(t.shard.holding() == 0);
    t.shard.close(0, start + 1s);
    for (std::size_t i = 0; i < 5; ++i) REQUIRE(t.shard.hold(*t.seats[i], {slot_bit(0), 0}, 10, start));
    CHECK(t.release(10).empty());
    t.shard.open(0);
    CHECK(t.release(2) == shard_with_seats::ids{0, 1});
    // New arrivals queue behind while anything is still queued.
    CHECK(t.shard.holding() == slot_bit(0));
    REQUIRE(t.shard.hold(*t.seats[5], {slot_bit(0), 0}, 10, start));
    CHECK(t.release(2) == shard_with_seats::ids{2, 3});
    CHECK(t.shard.has_ready(0));
    CHECK(t.release(9) == shard_with_seats::ids{4, 5});
    CHECK(t.shard.holding() == 0);
    CHECK_FALSE(t.shard.has_ready());
    CHECK(t.shard.held_now() == 0);
    CHECK_THROWS_AS(t.shard.hold(*t.seats[0], {slot_bit(0), 0}, 1, start), assertion_failure);
}

TEST_CASE("a gate opens by itself at its deadline, and not before") {
    shard_with_seats t(1);
    t.shard.watch(0, {"s", "t"});
    t.shard.watch(1, {"s", "u"});
    CHECK_FALSE(t.shard.next_deadline().has_value());
    t.shard.close(1, start + 9ms);
    t.shard.close(0, start + 5ms);
    CHECK(t.shard.next_deadline() == start + 5ms);
    REQUIRE(t.shard.hold(*t.seats[0], {slot_bit(0), 0}, 1, start));
    t.shard.expire(start + 4ms);
    CHECK(t.release(9).empty());
    t.shard.expire(start + 5ms);
    CHECK(t.release(9, start + 5ms) == shard_with_seats::ids{0});
    CHECK(t.shard.report(0).expired);
    CHECK(t.shard.report(0).max_us == 5000);
    CHECK_FALSE(t.shard.report(1).expired);
    CHECK(t.shard.next_deadline() == start + 9ms);
    t.shard.close(0, start + 20ms);  // a new hold, a new report
    CHECK_FALSE(t.shard.report(0).expired);
    CHECK(t.shard.report(0).held == 0);
}

TEST_CASE("a statement that needs two closed gates waits for both") {
    shard_with_seats t(3);
    t.shard.watch(0, {"s", "t"});
    t.shard.watch(1, {"s", "u"});
    t.shard.close(0, start + 1s);
    t.shard.close(1, start + 1s);
    REQUIRE(t.shard.hold(*t.seats[0], {slot_bit(0) | slot_bit(1), 0}, 1, start));
    REQUIRE(t.shard.hold(*t.seats[1], {slot_bit(1), 0}, 1, start));
    REQUIRE(t.shard.hold(*t.seats[2], {slot_bit(0), 0}, 1, start));
    t.shard.open(0);
    CHECK(t.release(9) == shard_with_seats::ids{2});
    // The one that waits on goes on waiting for both, but holds nobody up at the open gate.
    CHECK(t.shard.holding() == slot_bit(1));
    t.shard.open(1);
    CHECK(t.release(9) == shard_with_seats::ids{0, 1});
}

TEST_CASE("a gate that closes again keeps those who have not gone yet, in front") {
    shard_with_seats t(3);
    t.shard.watch(0, {"s", "t"});
    t.shard.close(0, start + 1s);
    REQUIRE(t.shard.hold(*t.seats[0], {slot_bit(0), 0}, 1, start));
    REQUIRE(t.shard.hold(*t.seats[1], {slot_bit(0), 0}, 1, start));
    t.shard.open(0);
    CHECK(t.release(1) == shard_with_seats::ids{0});
    t.shard.close(0, start + 2s);
    CHECK(t.release(9).empty());
    REQUIRE(t.shard.hold(*t.seats[2], {slot_bit(0), 0}, 1, start));
    t.shard.open(0);
    CHECK(t.release(9) == shard_with_seats::ids{1, 2});
}

TEST_CASE("who leaves is no longer in the queue") {
    for (const bool at_open_gate : {false, true}) {
        for (std::size_t gone = 0; gone < 3; ++gone) {
            shard_with_seats t(3);
            t.shard.watch(0, {"s", "t"});
            t.shard.close(0, start + 1s);
            for (auto& seat : t.seats) REQUIRE(t.shard.hold(*seat, {slot_bit(0), 0}, 7, start));
            if (at_open_gate) t.shard.open(0);
            if (gone == 1)
                t.shard.abandon(*t.seats[gone]);
            else
                t.seats[gone].reset();
            t.shard.open(0);
            auto expected = shard_with_seats::ids{0, 1, 2};
            expected.erase(expected.begin() + static_cast<std::ptrdiff_t>(gone));
            CHECK(t.release(9) == expected);
            CHECK(t.shard.holding() == 0);
        }
    }
}

TEST_CASE("limits let statements pass instead of failing them") {
    shard_with_seats t(4, {2, 100});
    t.shard.watch(0, {"s", "t"});
    t.shard.close(0, start + 1s);
    CHECK(t.shard.hold(*t.seats[0], {slot_bit(0), 0}, 90, start));
    CHECK_FALSE(t.shard.hold(*t.seats[1], {slot_bit(0), 0}, 11, start));
    CHECK(t.shard.hold(*t.seats[1], {slot_bit(0), 0}, 10, start));
    CHECK_FALSE(t.shard.hold(*t.seats[2], {slot_bit(0), 0}, 0, start));
    CHECK(t.shard.counters().overflowed == 2);
    CHECK(t.shard.counters().held == 2);
    t.shard.abandon(*t.seats[0]);
    CHECK(t.shard.hold(*t.seats[2], {slot_bit(0), 0}, 90, start));
}

TEST_CASE("sessions that use a table are counted to zero") {
    shard_with_seats t(3);
    t.shard.watch(0, {"s", "t"});
    t.shard.watch(5, {"s", "u"});
    t.shard.set_in_use(*t.seats[0], slot_bit(0) | slot_bit(5));
    t.shard.set_in_use(*t.seats[1], slot_bit(0));
    CHECK(t.shard.in_use_count(0) == 2);
    CHECK(t.shard.in_use_count(5) == 1);
    CHECK(t.shard.take_drained() == 0);
    t.shard.set_in_use(*t.seats[0], slot_bit(0));
    CHECK(t.shard.take_drained() == slot_bit(5));
    CHECK(t.shard.take_drained() == 0);
    t.shard.set_in_use(*t.seats[0], 0);
    CHECK(t.shard.take_drained() == 0);
    t.seats[1].reset();  // its session has died
    CHECK(t.shard.take_drained() == slot_bit(0));
    CHECK(t.shard.in_use_count(0) == 0);
}

TEST_CASE("a new watch counts what is already under way") {
    gate_shard shard({});
    test_seat idle(1), busy(2, true);
    shard.join(idle);
    shard.join(busy);
    const auto epoch = shard.watch_epoch();
    shard.watch(3, {"s", "t"});
    CHECK(shard.watch_epoch() != epoch);
    CHECK(shard.in_use_count(3) == 1);
    CHECK(shard.blockers(3, 10).at(0).connection_id == 2);
    shard.unwatch(3);
    CHECK_FALSE(shard.watching());
    CHECK(shard.in_use_count(3) == 0);
    CHECK_THROWS_AS(shard.watch(slots_max, {"s", "t"}), assertion_failure);
}

TEST_CASE("forgetting a table lets its held statements go") {
    shard_with_seats t(1);
    t.shard.watch(0, {"s", "t"});
    t.shard.close(0, start + 1s);
    REQUIRE(t.shard.hold(*t.seats[0], {slot_bit(0), 0}, 1, start));
    t.shard.unwatch(0);
    CHECK(t.release(9) == shard_with_seats::ids{0});
}

TEST_CASE("blockers come oldest first, as many as asked for") {
    shard_with_seats t(5);
    t.shard.watch(0, {"s", "t"});
    for (const std::size_t i : {1U, 4U, 2U}) t.shard.set_in_use(*t.seats[i], slot_bit(0));
    const auto all = t.shard.blockers(0, 10);
    REQUIRE(all.size() == 3);
    CHECK(all[0].connection_id == 4);
    CHECK(all[2].connection_id == 1);
    CHECK(t.shard.blockers(0, 2).size() == 2);
}

TEST_CASE("texts and footprints are matched against the watched tables") {
    gate_shard shard({});
    shard.watch(0, {"shop", "Orders"});
    shard.watch(1, {"shop", "items"});
    struct {
        const char* text;
        const char* schema;
        slot_mask expected;
    } const cases[] = {
        {"SELECT * FROM orders", "shop", slot_bit(0)},
        {"SELECT * FROM orders", "other", 0},
        {"SELECT * FROM orders", "", slot_bit(0)},
        {"SELECT * FROM shop.orders JOIN shop.items", "other", slot_bit(0) | slot_bit(1)},
        {"SELECT 'orders'", "shop", 0},
        {"SELECT 1", "shop", 0},
        {"CALL anything()", "shop", slot_bit(0) | slot_bit(1)},
        {"COMMIT", "shop", 0},
    };
    for (const auto& c : cases) {
        INFO(c.text << " in " << c.schema);
        CHECK(shard.may_touch(c.text, {}, c.schema) == c.expected);
        CHECK(shard.may_touch(sql::classify(c.text), c.schema) == c.expected);
    }
}

TEST_CASE("who reads anew is noted in one look at each session, whatever its name and texts") {
    constexpr std::size_t count = 90;
    shard_with_seats t(count);
    t.shard.watch(0, {"s", "t"});
    std::vector<begun_transaction> told;
    for (std::size_t i = count; i-- > 0;) {
        t.seats[i]->snapshot = i % 3 != 0;
        if (i % 2 == 0) told.push_back({i, start + std::chrono::seconds(100 - i)});
    }
    told.push_back({1, start});    // another transaction of that session
    told.push_back({999, start});  // not here
    t.shard.note_reads_anew(told);
    for (std::size_t i = 0; i < count; ++i) {
        INFO(i);
        CHECK(t.seats[i]->reads_anew == (i % 2 == 0 && i % 3 != 0));
        CHECK(t.seats[i]->looks == 1);
        CHECK(t.seats[i]->views == (i % 3 != 0 && (i % 2 == 0 || i == 1) ? 1 : 0));  // the seat's own, when told
    }
}

TEST_CASE("a kill finds its session without asking the others for their texts") {
    shard_with_seats t(5);
    t.shard.watch(0, {"s", "t"});
    t.shard.close(0, start + 1s);
    for (const std::size_t i : {1U, 2U, 3U}) REQUIRE(t.shard.hold(*t.seats[i], {slot_bit(0), 0}, 1, start));
    t.shard.interrupt(2);
    t.shard.interrupt(4);  // not held
    CHECK(t.release(9) == shard_with_seats::ids{2});
    CHECK(t.seats[2]->interrupted());
    for (const auto& seat : t.seats) CHECK(seat->views == 0);
}

TEST_CASE("samples of holds stay bounded and fair") {
    shard_with_seats many(shard_hold_report::samples_max + 3000);
    many.shard.watch(0, {"s", "t"});
    many.shard.close(0, start + 1h);
    for (auto& seat : many.seats) REQUIRE(many.shard.hold(*seat, {slot_bit(0), 0}, 1, start));
    many.shard.open(0);
    std::uint32_t us = 0;
    while (many.shard.has_ready()) {
        ++us;
        (void)many.release(1, start + std::chrono::microseconds(us));
    }
    const auto report = many.shard.report(0);
    CHECK(report.held == many.seats.size());
    CHECK(report.samples_us.size() == shard_hold_report::samples_max);
    CHECK(report.max_us == many.seats.size());
    std::size_t late = 0;
    for (const auto sample : report.samples_us) late += sample > shard_hold_report::samples_max ? 1U : 0U;
    // Of the holds past the bound, a fair sample keeps 3000 * 4096 / 7096 = 1732.
    CHECK(late > 1500);
    CHECK(late < 1950);
}

}  // namespace
}  // namespace sluice::session

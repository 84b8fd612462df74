#include "migration/ledger/delta_set.hpp"
#include "protocol/result.hpp"
#include "tests/support/catch.hpp"

#include <limits>

using sluice::migration::delta_set;
using sluice::migration::row_key;

namespace {

constexpr std::uint64_t everything = std::numeric_limits<std::uint64_t>::max();

row_key key(const std::string& literals) { return {literals, literals}; }

std::vector<std::string> names(const std::vector<row_key>& batch) {
    std::vector<std::string> found;
    for (const auto& one : batch) found.push_back(one.literals);
    return found;
}

using list = std::vector<std::string>;

}  // namespace

TEST_CASE("a hot key is one entry, however often it changes") {
    delta_set deltas(10);
    for (std::uint64_t transaction = 1; transaction <= 100; ++transaction) deltas.add(key("1"), transaction);
    CHECK(deltas.size() == 1);
    CHECK(names(deltas.take(10, everything, {})) == list{"1"});
}

TEST_CASE("keys come out oldest first, and only as many as asked for") {
    delta_set deltas(10);
    deltas.add(key("c"), 1);
    deltas.add(key("a"), 2);
    deltas.add(key("b"), 3);
    CHECK(names(deltas.take(2, everything, {})) == list{"c", "a"});
    CHECK(names(deltas.take(2, everything, {})) == list{"b"});
    CHECK(deltas.take(2, everything, {}).empty());
}

TEST_CASE("a change is not handed out before its transaction is visible") {
    delta_set deltas(10);
    deltas.add(key("1"), 5);
    CHECK(deltas.take(10, 4, {}).empty());
    CHECK(deltas.oldest_waiting() == 5);
    CHECK(names(deltas.take(10, 5, {})) == list{"1"});
}

TEST_CASE("a key that changed again, not yet visibly, is taken for what is visible and waits for the rest") {
    delta_set deltas(10);
    deltas.add(key("1"), 1);
    deltas.add(key("1"), 2);
    const auto batch = deltas.take(10, 1, {});
    REQUIRE(names(batch) == list{"1"});
    CHECK(deltas.size() == 1);
    CHECK(deltas.take(10, everything, {}).empty());  // in flight
    deltas.done(batch);
    CHECK(deltas.size() == 1);
    CHECK(deltas.take(10, 1, {}).empty());
    CHECK(names(deltas.take(10, 2, {})) == list{"1"});
}

TEST_CASE("a key in flight is not handed out again, and what happened to it meanwhile is not lost") {
    delta_set deltas(10);
    deltas.add(key("1"), 1);
    const auto batch = deltas.take(10, everything, {});
    CHECK(deltas.in_flight() == 1);
    deltas.add(key("1"), 2);
    CHECK(deltas.take(10, everything, {}).empty());
    deltas.done(batch);
    CHECK(deltas.in_flight() == 0);
    const auto again = deltas.take(10, everything, {});
    CHECK(names(again) == list{"1"});
    deltas.done(again);
    CHECK(deltas.size() == 0);
}

TEST_CASE("a batch that failed comes back first, in its order") {
    delta_set deltas(10);
    deltas.add(key("a"), 1);
    deltas.add(key("b"), 1);
    deltas.add(key("c"), 1);
    const auto batch = deltas.take(2, everything, {});
    deltas.put_back(batch);
    CHECK(deltas.in_flight() == 0);
    CHECK(names(deltas.take(10, 1, {})) == list{"a", "b", "c"});
}

TEST_CASE("a failed key that changed meanwhile still waits for the newer change") {
    delta_set deltas(10);
    deltas.add(key("a"), 1);
    const auto batch = deltas.take(10, 1, {});
    deltas.add(key("a"), 9);
    deltas.put_back(batch);
    const auto again = deltas.take(10, 1, {});
    REQUIRE(names(again) == list{"a"});
    deltas.done(again);
    CHECK(deltas.take(10, 8, {}).empty());
    CHECK(names(deltas.take(10, 9, {})) == list{"a"});
}

TEST_CASE("a key is dropped only when all of its changes are visible") {
    delta_set deltas(10);
    const auto always = [](const row_key&) { return true; };
    deltas.add(key("1"), 1);
    deltas.add(key("1"), 2);
    CHECK(deltas.take(10, 1, always).empty());
    CHECK(deltas.size() == 1);
    CHECK(deltas.dropped() == 0);
    CHECK(deltas.take(10, 2, always).empty());
    CHECK(deltas.size() == 0);
    CHECK(deltas.dropped() == 1);
}

TEST_CASE("applied_through() counts what waits and what is in flight") {
    delta_set deltas(10);
    CHECK(deltas.applied_through(100));
    deltas.add(key("a"), 3);
    CHECK(deltas.applied_through(2));
    CHECK_FALSE(deltas.applied_through(3));
    const auto batch = deltas.take(10, everything, {});
    deltas.add(key("a"), 7);
    CHECK_FALSE(deltas.applied_through(3));
    deltas.done(batch);
    CHECK(deltas.applied_through(6));
    CHECK_FALSE(deltas.applied_through(7));
}

TEST_CASE("applied_through() does not forget a change between the visible one and the newest") {
    delta_set deltas(10);
    for (const std::uint64_t transaction : {1U, 5U, 9U}) deltas.add(key("a"), transaction);
    const auto first = deltas.take(10, 1, {});
    REQUIRE(names(first) == list{"a"});
    SECTION("once the batch is through") {
        deltas.done(first);
        CHECK(deltas.applied_through(1));
        CHECK_FALSE(deltas.applied_through(5));
        CHECK_FALSE(deltas.applied_through(9));
        // A hot key is written again for the newest change, not for each.
        CHECK(deltas.take(10, 5, {}).empty());
    }
    SECTION("once the batch has failed") {
        deltas.put_back(first);
        CHECK_FALSE(deltas.applied_through(1));
        const auto again = deltas.take(10, 1, {});
        REQUIRE(names(again) == list{"a"});
        deltas.done(again);
        CHECK_FALSE(deltas.applied_through(5));
    }
    const auto last = deltas.take(10, 9, {});
    REQUIRE(names(last) == list{"a"});
    CHECK(deltas.applied_through(1));
    CHECK_FALSE(deltas.applied_through(5));  // in flight
    deltas.done(last);
    CHECK(deltas.applied_through(9));
}

TEST_CASE("applied_through() does not forget it either when the visible changes are dropped") {
    delta_set deltas(10);
    for (const std::uint64_t transaction : {1U, 5U, 9U}) deltas.add(key("a"), transaction);
    CHECK(deltas.take(10, 1, [](const row_key&) { return true; }).empty());
    CHECK(deltas.applied_through(1));
    CHECK_FALSE(deltas.applied_through(5));
}

TEST_CASE("the set says when it is full, and counts what is in flight") {
    delta_set deltas(2);
    deltas.add(key("a"), 1);
    CHECK_FALSE(deltas.full());
    deltas.add(key("b"), 1);
    CHECK(deltas.full());
    const auto batch = deltas.take(1, everything, {});
    CHECK(deltas.full());
    deltas.done(batch);
    CHECK_FALSE(deltas.full());
}

TEST_CASE("the set is full by bytes too, and gives them back however a key leaves it") {
    delta_set deltas(1'000, 1'000);
    deltas.add(key(std::string(500, 'a')), 1);  // the literals, and the order that the key carries
    CHECK(deltas.full());
    CHECK(deltas.bytes() >= 1'000);
    SECTION("applied") { deltas.done(deltas.take(1, everything, {})); }
    SECTION("dropped") {
        CHECK(deltas.take(1, everything, [](const row_key&) { return true; }).empty());
    }
    SECTION("changed again meanwhile, failed, then applied") {
        const auto batch = deltas.take(1, 1, {});
        deltas.add(key(std::string(500, 'a')), 2);
        deltas.put_back(batch);
        CHECK(deltas.full());
        deltas.done(deltas.take(1, everything, {}));
    }
    CHECK_FALSE(deltas.full());
    CHECK(deltas.bytes() == 0);
}

TEST_CASE("ending a batch that was never taken is a mistake that does not pass") {
    delta_set deltas(2);
    CHECK_THROWS_AS(deltas.done({key("a")}), sluice::assertion_failure);
    deltas.add(key("a"), 1);
    CHECK_THROWS_AS(deltas.put_back({key("a")}), sluice::assertion_failure);
}

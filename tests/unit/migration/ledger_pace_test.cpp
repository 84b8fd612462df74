// How the coordinator holds the workers back without stopping them where they need each other.

#include "migration/copy/chunk_sizer.hpp"
#include "migration/ledger/work_ledger.hpp"
#include "tests/support/catch.hpp"

using namespace sluice::migration;
using namespace std::chrono_literals;

namespace {

key_bound bound(char name) { return {{std::string(1, name)}, std::string(1, name)}; }

/// A ledger whose copy goes from b to y, and a change below that, which no chunk will read.
struct scene {
    scene() {
        ledger.set_frontier(copy_frontier(copy_range{bound('b'), bound('y')}, true));
        ledger.add_changes(ledger.begin_transaction(std::nullopt), {{"a", "a"}});
    }
    work_ledger ledger{work_ledger_options{}};
};

}  // namespace

TEST_CASE("a paused apply hands nothing out once no chunk is under way", "[throttle]") {
    scene s;
    s.ledger.set_pace({.apply_paused = true});
    CHECK_FALSE(s.ledger.take_batch(10, 0ms));
    s.ledger.set_pace({});
    CHECK(s.ledger.take_batch(10, 0ms));
}

TEST_CASE("a chunk under way gets the changes that it waits for, paused or not", "[throttle]") {
    scene s;
    const auto start = s.ledger.next_chunk_start();
    REQUIRE(start);
    const auto chunk = s.ledger.dispatch(*start, bound('k'));
    s.ledger.set_pace({.apply_paused = true});
    const auto batch = s.ledger.take_batch(10, 0ms);
    REQUIRE(batch);
    s.ledger.chunk_attempt_ended(chunk);
    s.ledger.batch_applied(*batch);
    s.ledger.chunk_copied(chunk, 1);
    s.ledger.add_changes(s.ledger.begin_transaction(std::nullopt), {{"a", "a"}});
    CHECK_FALSE(s.ledger.take_batch(10, 0ms));
}

TEST_CASE("a chunk size that is fixed later counts at once, and may be given up again", "[throttle]") {
    chunk_sizer sizer(1000, 0, 200ms);
    sizer.fix(50);
    CHECK(sizer.rows() == 50);
    sizer.took(50, 1ms);
    CHECK(sizer.rows() == 50);
    sizer.fix(0);
    sizer.took(50, 1ms);
    CHECK(sizer.rows() == 75);
    sizer.fix(1);
    CHECK(sizer.rows() == chunk_sizer::rows_min);
}

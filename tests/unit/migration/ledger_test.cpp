// The rules of order between copy and apply. Each case is an interleaving that loses a change when its rule is left
// out.

#include "migration/ledger/work_ledger.hpp"
#include "tests/support/catch.hpp"

#include <future>

using namespace sluice::migration;
using namespace std::chrono_literals;
using sluice::binlog::gtid;

namespace {

row_key key(char name) { return {std::string(1, name), std::string(1, name)}; }
key_bound bound(char name) { return {{std::string(1, name)}, std::string(1, name)}; }

copy_frontier from_b_to_y(bool exactly_ordered = true) {
    return copy_frontier(copy_range{bound('b'), bound('y')}, exactly_ordered);
}

gtid transaction(std::uint64_t number) {
    auto parsed = gtid::parse("3e11fa47-71ca-11e1-9e33-c80aa9429562:" + std::to_string(number));
    REQUIRE(parsed);
    return *parsed;
}

void change(work_ledger& ledger, char name) { ledger.add_changes(ledger.begin_transaction(std::nullopt), {key(name)}); }

work_ledger::chunk dispatch_up_to(work_ledger& ledger, char name) {
    const auto start = ledger.next_chunk_start();
    REQUIRE(start);
    return ledger.dispatch(*start, bound(name));
}

void copy_everything(work_ledger& ledger) {
    const auto start = ledger.next_chunk_start();
    REQUIRE(start);
    const auto chunk = ledger.dispatch(*start, std::nullopt);
    ledger.chunk_attempt_ended(chunk);
    ledger.chunk_copied(chunk, 1);
}

steady_time soon() { return std::chrono::steady_clock::now() + 20ms; }

}  // namespace

TEST_CASE("the frontier: what a chunk to come will read needs no work") {
    copy_frontier frontier = from_b_to_y();
    CHECK(frontier.copy_will_see(key('b')));
    CHECK(frontier.copy_will_see(key('y')));
    CHECK_FALSE(frontier.copy_will_see(key('a')));  // below the range: no chunk reads it
    CHECK_FALSE(frontier.copy_will_see(key('z')));  // above it, likewise
    CHECK(frontier.next_lower_inclusive());
    frontier.dispatched(bound('k'));
    CHECK_FALSE(frontier.next_lower_inclusive());
    CHECK(frontier.next_lower().order == "k");
    CHECK_FALSE(frontier.copy_will_see(key('k')));
    CHECK(frontier.copy_will_see(key('l')));
    frontier.dispatched(std::nullopt);
    CHECK(frontier.all_dispatched());
    CHECK_FALSE(frontier.copy_will_see(key('x')));
}

TEST_CASE("the frontier: keys whose order only the server knows are never left to the copy") {
    CHECK_FALSE(from_b_to_y(false).copy_will_see(key('x')));
}

TEST_CASE("the frontier: an empty table is copied at once") {
    const copy_frontier frontier(std::nullopt, true);
    CHECK(frontier.all_dispatched());
    CHECK_FALSE(frontier.copy_will_see(key('x')));
}

TEST_CASE("nothing is handed out before the range is known") {
    work_ledger ledger({});
    change(ledger, 'c');
    CHECK_FALSE(ledger.take_batch(10, 0ms));
    ledger.set_frontier(copy_frontier(std::nullopt, true));
    CHECK(ledger.take_batch(10, 0ms));
}

TEST_CASE("a batch waits for the chunks that began before it, not for those after") {
    work_ledger ledger({});
    ledger.set_frontier(from_b_to_y());
    auto older = dispatch_up_to(ledger, 'k');
    change(ledger, 'c');
    const auto batch = ledger.take_batch(10, 0ms);
    REQUIRE(batch);
    const auto younger = dispatch_up_to(ledger, 'm');
    auto waiting = std::async(std::launch::async, [&] { return ledger.wait_for_chunks(*batch); });
    CHECK(waiting.wait_for(50ms) == std::future_status::timeout);
    ledger.chunk_attempt_ended(older);
    CHECK(waiting.get());
    // Another attempt at the older chunk reads a snapshot of its own, which is not older than the batch.
    ledger.dispatch_again(older);
    CHECK(ledger.wait_for_chunks(*batch));
    ledger.chunk_attempt_ended(older);
    ledger.chunk_attempt_ended(younger);
}

TEST_CASE("changes that the copy will still see are dropped, but not those in a chunk that is being read") {
    work_ledger ledger({});
    ledger.set_frontier(from_b_to_y());
    const auto chunk = dispatch_up_to(ledger, 'k');
    change(ledger, 'x');
    change(ledger, 'f');
    change(ledger, 'z');
    const auto batch = ledger.take_batch(10, 0ms);
    REQUIRE(batch);
    CHECK(batch->keys == std::vector<row_key>{key('f'), key('z')});
    CHECK(ledger.count().deltas_dropped == 1);
    ledger.chunk_attempt_ended(chunk);
}

TEST_CASE("a change is handed out only after its transaction was confirmed as visible") {
    work_ledger ledger({});
    ledger.set_frontier(copy_frontier(std::nullopt, true));
    ledger.add_changes(ledger.begin_transaction(transaction(7)), {key('c')});
    CHECK_FALSE(ledger.take_batch(10, 0ms));
    auto confirmation = ledger.begin_confirmation();
    REQUIRE(confirmation);
    CHECK(confirmation->transactions.contains(transaction(7)));
    CHECK_FALSE(ledger.begin_confirmation());  // one at a time
    SECTION("it was not") {
        ledger.end_confirmation(*confirmation, false);
        CHECK_FALSE(ledger.take_batch(10, 0ms));
        confirmation = ledger.begin_confirmation();
        REQUIRE(confirmation);
        CHECK(confirmation->transactions.contains(transaction(7)));
    }
    SECTION("a newer one begins meanwhile") {
        ledger.add_changes(ledger.begin_transaction(transaction(8)), {key('d')});
        ledger.end_confirmation(*confirmation, true);
        const auto batch = ledger.take_batch(10, 0ms);
        REQUIRE(batch);
        CHECK(batch->keys == std::vector<row_key>{key('c')});
        confirmation = ledger.begin_confirmation();
        REQUIRE(confirmation);
        CHECK_FALSE(confirmation->transactions.contains(transaction(7)));
        CHECK(confirmation->transactions.contains(transaction(8)));
    }
}

TEST_CASE("where bytes do not tell keys apart, one batch is in flight at a time") {
    work_ledger ledger({.delta_keys_max = 100, .parallel_batches = false});
    ledger.set_frontier(copy_frontier(std::nullopt, true));
    change(ledger, 'c');
    change(ledger, 'C');
    const auto first = ledger.take_batch(1, 0ms);
    REQUIRE(first);
    CHECK_FALSE(ledger.take_batch(1, 0ms));
    ledger.batch_applied(*first);
    CHECK(ledger.take_batch(1, 0ms));
}

TEST_CASE("a wide batch is alone, takes everything that is visible, and is waited for") {
    work_ledger ledger({});
    ledger.set_frontier(copy_frontier(std::nullopt, true));
    for (const char name : {'c', 'd', 'e', 'f'}) change(ledger, name);
    const auto first = ledger.take_batch(1, 0ms);
    const auto second = ledger.take_batch(1, 0ms);
    REQUIRE((first && second));
    ledger.batch_failed(*first);
    ledger.widen_next_batch(*first);
    CHECK_FALSE(ledger.take_batch(1, 0ms));  // the second is still in flight
    ledger.batch_applied(*second);
    const auto wide = ledger.take_batch(1, 0ms);
    REQUIRE(wide);
    CHECK(wide->keys.size() == 3);
    ledger.batch_applied(*wide);
    CHECK(ledger.count().backlog_keys == 0);
    change(ledger, 'g');
    change(ledger, 'h');
    const auto usual = ledger.take_batch(1, 0ms);
    REQUIRE(usual);
    CHECK(usual->keys.size() == 1);
}

TEST_CASE("wide batches double until one has every key that moves") {
    constexpr std::size_t keys = 70'000;
    work_ledger ledger({});
    ledger.set_frontier(copy_frontier(std::nullopt, true));
    std::vector<row_key> moving;
    for (std::size_t i = 0; i < keys; ++i) moving.push_back({std::to_string(i), ""});
    ledger.add_changes(ledger.begin_transaction(std::nullopt), std::move(moving));
    const auto narrow = ledger.take_batch(1, 0ms);
    REQUIRE(narrow);
    ledger.batch_failed(*narrow);
    ledger.widen_next_batch(*narrow);
    ledger.widen_next_batch(*narrow);  // as another worker's, whose batch met the same value
    struct attempt {
        std::size_t keys;
        bool meets_value;  ///< false: it fails for another reason, a deadlock
    };
    for (const attempt& one : {attempt{20'000, true}, {40'000, false}, {40'000, true}, {70'000, true}}) {
        const auto wide = ledger.take_batch(1, 0ms);
        REQUIRE(wide);
        CHECK(wide->keys.size() == one.keys);
        ledger.batch_failed(*wide);
        if (one.meets_value) ledger.widen_next_batch(*wide);
    }
    const auto all = ledger.take_batch(1, 0ms);
    REQUIRE(all);
    CHECK(all->keys.size() == keys);
}

TEST_CASE("parked batches: none is handed out, and the lock session gets all, visible or not") {
    work_ledger ledger({});
    ledger.set_frontier(copy_frontier(std::nullopt, true));
    change(ledger, 'c');
    const auto batch = ledger.take_batch(10, 0ms);
    REQUIRE(batch);
    CHECK_FALSE(ledger.park_batches(soon()));  // one is in flight
    ledger.batch_failed(*batch);
    CHECK(ledger.park_batches(soon()));
    ledger.add_changes(ledger.begin_transaction(transaction(9)), {key('d')});
    CHECK_FALSE(ledger.take_batch(10, 0ms));
    const auto last = ledger.take_all();
    CHECK(last.keys.size() == 2);
    ledger.batch_failed(last);
    ledger.unpark_batches();
    CHECK(ledger.count().backlog_keys == 2);
    CHECK(ledger.take_batch(10, 0ms));
}

TEST_CASE("a full set stops the stream reader until there is room, or the work stops") {
    work_ledger ledger({.delta_keys_max = 1, .parallel_batches = true});
    ledger.set_frontier(copy_frontier(std::nullopt, true));
    change(ledger, 'c');
    auto waiting = std::async(std::launch::async, [&] { return ledger.wait_for_room(); });
    CHECK(waiting.wait_for(50ms) == std::future_status::timeout);
    SECTION("room") {
        const auto batch = ledger.take_batch(1, 0ms);
        REQUIRE(batch);
        ledger.batch_applied(*batch);
        CHECK(waiting.get());
    }
    SECTION("stop") {
        ledger.stop();
        CHECK_FALSE(waiting.get());
    }
    SECTION("a cut-over that must read the stream to its end") {
        CHECK(ledger.park_batches(soon()));
        CHECK(waiting.get());
    }
}

TEST_CASE("a full set does not stop the reader before the range is known, or the barrier would never be read") {
    work_ledger ledger({.delta_keys_max = 1, .parallel_batches = true});
    change(ledger, 'c');
    auto going_on = std::async(std::launch::async, [&] { return ledger.wait_for_room(); });
    const bool in_time = going_on.wait_for(10s) == std::future_status::ready;
    ledger.stop();
    CHECK(in_time);
}

TEST_CASE("the copy is done when every dispatched chunk is copied, retried ones included") {
    work_ledger ledger({});
    ledger.set_frontier(from_b_to_y());
    auto chunk = dispatch_up_to(ledger, 'k');
    const auto start = ledger.next_chunk_start();
    REQUIRE(start);
    CHECK(start->lower.order == "k");
    CHECK_FALSE(start->inclusive);
    copy_everything(ledger);
    CHECK_FALSE(ledger.next_chunk_start());
    CHECK_FALSE(ledger.all_copied());
    ledger.chunk_attempt_ended(chunk);
    CHECK_FALSE(ledger.all_copied());
    ledger.dispatch_again(chunk);
    ledger.chunk_attempt_ended(chunk);
    ledger.chunk_copied(chunk, 10);
    CHECK(ledger.all_copied());
    CHECK(ledger.count().rows_copied == 11);
}

TEST_CASE("the position counts a transaction only when it has been read to its end") {
    work_ledger ledger({});
    stream_position start;
    start.executed.emplace();
    ledger.begin_stream(start);
    stream_position wanted = start;
    wanted.executed->add(transaction(1));
    ledger.begin_transaction(transaction(1));
    CHECK_FALSE(ledger.wait_read_through(wanted, soon()));
    auto waiting = std::async(std::launch::async,
                              [&] { return ledger.wait_read_through(wanted, soon() + std::chrono::seconds(5)); });
    ledger.read_through(transaction(1), {});
    CHECK(waiting.get());
}

TEST_CASE("the first failure stops the work and is the one that is told") {
    work_ledger ledger({});
    ledger.fail(refuse("first", ""));
    ledger.fail(refuse("second", ""));
    CHECK(ledger.stopping());
    REQUIRE(ledger.first_failure());
    CHECK(ledger.first_failure()->code == "first");
}

TEST_CASE("what fails because the work was stopped is no failure") {
    work_ledger ledger({});
    ledger.stop();
    ledger.fail(refuse("late", ""));
    CHECK_FALSE(ledger.first_failure());
}

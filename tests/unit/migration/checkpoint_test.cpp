// What a checkpoint says of the copy, and how it travels as text.

#include "migration/checkpoint/checkpoint.hpp"
#include "migration/checkpoint/former_workers.hpp"
#include "migration/ledger/work_ledger.hpp"
#include "migration/model/migration_spec.hpp"
#include "tests/support/catch.hpp"

#include <string>

namespace {

using namespace sluice::migration;

key_bound bound(char name) { return {{std::string(1, name)}, std::string(1, name)}; }
row_key key(char name) { return {std::string(1, name), std::string(1, name)}; }

work_ledger::chunk dispatch_up_to(work_ledger& ledger, std::optional<key_bound> upper) {
    const auto start = ledger.next_chunk_start();
    REQUIRE(start);
    return ledger.dispatch(*start, std::move(upper));
}

void copied(work_ledger& ledger, const work_ledger::chunk& chunk) {
    ledger.chunk_attempt_ended(chunk);
    ledger.chunk_copied(chunk, 1);
}

std::string through(const work_ledger& ledger) {
    const auto done = ledger.copied();
    REQUIRE(done);
    if (done->all) return "all";
    return done->through ? done->through->literals.at(0) : "nothing";
}

}  // namespace

TEST_CASE("a copy is certain up to its first open chunk, whatever was copied behind it", "[checkpoint]") {
    work_ledger ledger({});
    CHECK_FALSE(ledger.copied());
    ledger.set_frontier(copy_frontier(copy_range{bound('b'), bound('y')}, true));
    CHECK(through(ledger) == "nothing");
    const auto first = dispatch_up_to(ledger, bound('d'));
    auto second = dispatch_up_to(ledger, bound('g'));
    const auto third = dispatch_up_to(ledger, bound('k'));
    copied(ledger, third);
    CHECK(through(ledger) == "nothing");
    copied(ledger, first);
    CHECK(through(ledger) == "d");
    // A chunk that is tried again is as open as before.
    ledger.chunk_attempt_ended(second);
    CHECK(through(ledger) == "d");
    ledger.dispatch_again(second);
    copied(ledger, second);
    CHECK(through(ledger) == "k");
    const auto last = dispatch_up_to(ledger, std::nullopt);
    CHECK(through(ledger) == "k");
    copied(ledger, last);
    CHECK(through(ledger) == "all");
}

TEST_CASE("behind a checkpoint chunks may meet rows, and no change is dropped", "[checkpoint]") {
    work_ledger ledger({});
    ledger.go_on_from({copy_range{bound('b'), bound('y')}, bound('g'), false}, 40, 7);
    CHECK(ledger.count().rows_copied == 40);
    ledger.add_changes(ledger.begin_transaction(std::nullopt), {key('p')});
    CHECK(ledger.take_batch(10, std::chrono::milliseconds(0)));
    const auto start = ledger.next_chunk_start();
    REQUIRE(start);
    CHECK(start->lower.literals.at(0) == "g");
    CHECK_FALSE(start->inclusive);
    const auto chunk = ledger.dispatch(*start, std::nullopt);
    CHECK(chunk.may_meet_rows);
    CHECK(chunk.upper.literals.at(0) == "y");

    work_ledger whole({});
    whole.go_on_from({copy_range{bound('b'), bound('y')}, std::nullopt, true}, 40, 7);
    CHECK(whole.all_copied());
}

TEST_CASE("a checkpoint comes back from its text as it was", "[checkpoint]") {
    checkpoint made;
    made.run = "0123456789abcdef0123456789abcdef";
    made.place = "mysql-bin.000003:1234";
    made.server = "uuid";
    made.marker = 1'000'007;
    made.expects_unknown_prepared = true;
    made.copied = {copy_range{bound('b'), bound('y')}, key_bound{{"7", "_latin1 0x41"}, {}}, false};
    made.rows_copied = 1'234'567'890'123;
    made.alter = "ADD COLUMN `ü` INT COMMENT 'a \"word\"\n'";
    made.original = "CREATE TABLE `t` (\n  `id` int)";
    made.deferred = {{"by_n", "KEY `by_n` (`n`)"}};
    made.swap_clause = "`a` TO `b`";
    const auto back = checkpoint_from_text(to_text(made));
    REQUIRE(back);
    CHECK(to_text(*back) == to_text(made));
    CHECK(back->copied.through->literals == std::vector<std::string>{"7", "_latin1 0x41"});
    CHECK(back->alter == made.alter);
    REQUIRE(back->deferred.size() == 1);
    CHECK(back->deferred[0].definition == "KEY `by_n` (`n`)");

    for (const char* bad :
         {"", "{}", "[1]", R"({"version":2,"run":"a","place":"b"})", R"({"version":1,"place":"b"})"}) {
        CAPTURE(bad);
        CHECK_FALSE(checkpoint_from_text(bad));
    }
}

TEST_CASE("only options that matter for rows keep a run from going on", "[checkpoint]") {
    migration_options one;
    migration_options other = one;
    other.chunk_rows_fixed = 77;
    other.nice_percent = 5;
    CHECK(options_of_plan(one) == options_of_plan(other));
    other.skip_renamed_columns = true;
    CHECK(options_of_plan(one) != options_of_plan(other));
}

TEST_CASE("the ghost is the same whether its deferred indexes are built or not", "[checkpoint]") {
    const std::string bare =
        "CREATE TABLE `_t_gho` (\n  `id` int NOT NULL,\n  `n` int,\n  PRIMARY KEY (`id`)\n) ENGINE=InnoDB";
    const std::string built =
        "CREATE TABLE `_t_gho` (\n  `id` int NOT NULL,\n  `n` int,\n  PRIMARY KEY (`id`),\n  KEY `by_n` (`n`)\n) "
        "ENGINE=InnoDB AUTO_INCREMENT=9";
    CHECK(shape_of_ghost(bare) == shape_of_ghost(built));
    const std::string unique =
        "CREATE TABLE `_t_gho` (\n  `id` int NOT NULL,\n  `n` int,\n  UNIQUE KEY `by_n` (`n`)\n) ENGINE=InnoDB";
    CHECK(shape_of_ghost(bare) != shape_of_ghost(unique));
}

TEST_CASE("names of locks are as short as servers want them, and differ", "[checkpoint]") {
    const std::string run(32, 'a');
    CHECK(life_lock_of(run, 'c', 31).size() <= 64);
    CHECK(life_lock_of(run, 'c', 1) != life_lock_of(run, 'a', 1));
    CHECK(lock_of_table({"a", "bc"}) != lock_of_table({"ab", "c"}));
    CHECK(lock_of_table({"a", std::string(64, 'x')}).size() <= 64);
}

// The values of the way back: from which place a later process goes on, and what is known of keys.

#include "migration/reverse/applied_place.hpp"
#include "migration/sql/keeping_statements.hpp"
#include "tests/support/catch.hpp"

#include <chrono>

using namespace sluice;
using namespace sluice::migration;

namespace {

row_key key(const char* literals, bool anew = false) { return {literals, "", anew}; }

std::unique_ptr<work_ledger> ledger_at(std::uint64_t position) {
    auto ledger = std::make_unique<work_ledger>(work_ledger_options{});
    ledger->set_frontier(copy_frontier(std::nullopt, true));
    ledger->read_through(std::nullopt, {"binlog.000001", position});
    return ledger;
}

work_ledger::batch take(work_ledger& ledger) {
    auto batch = ledger.take_batch(100, std::chrono::milliseconds(0));
    REQUIRE(batch);
    return *batch;
}

}  // namespace

TEST_CASE("a place of the stream is stored and read again") {
    const auto at = place_from_text("binlog.000012:4711", false);
    REQUIRE(at);
    CHECK(at->at.file_name == "binlog.000012");
    CHECK(at->at.position == 4711);
    CHECK(place_to_text(*at) == "binlog.000012:4711");
    const std::string set = "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5";
    const auto executed = place_from_text(set, true);
    REQUIRE(executed);
    CHECK(place_to_text(*executed) == set);
    for (const char* text : {"", ":4", "binlog.000012", "binlog.000012:", "binlog.000012:4x"}) {
        INFO(text);
        CHECK_FALSE(place_from_text(text, false));
    }
}

TEST_CASE("a place is given only once everything before it has been applied") {
    auto ledger = ledger_at(100);
    applied_place place;
    const auto transaction = ledger->begin_transaction(std::nullopt);
    ledger->add_changes(transaction, {key("1")});
    CHECK_FALSE(place.look(*ledger));
    CHECK_FALSE(place.look(*ledger));
    const auto batch = take(*ledger);
    ledger->read_through(std::nullopt, {"binlog.000001", 200});
    CHECK_FALSE(place.look(*ledger));
    ledger->batch_applied(batch);
    auto reached = place.look(*ledger);
    REQUIRE(reached);
    CHECK(reached->at.position == 100);
    reached = place.look(*ledger);
    REQUIRE(reached);
    CHECK(reached->at.position == 200);
}

TEST_CASE("no place is taken while a prepared transaction has changes that are still to come") {
    auto ledger = ledger_at(100);
    ledger->set_prepared({"X'41',X'',1"});
    applied_place place;
    CHECK_FALSE(place.look(*ledger));
    CHECK_FALSE(place.look(*ledger));
    ledger->set_prepared({});
    CHECK_FALSE(place.look(*ledger));
    CHECK(place.look(*ledger));
}

TEST_CASE("a key remembers that its row is a new one until it has been written") {
    auto ledger = ledger_at(100);
    const auto first = ledger->begin_transaction(std::nullopt);
    ledger->add_changes(first, {key("1"), key("2", true)});
    ledger->add_changes(first, {key("1", true), key("2")});
    auto batch = take(*ledger);
    CHECK(batch.keys == std::vector<row_key>{key("1", true), key("2", true)});
    ledger->batch_failed(batch);
    batch = take(*ledger);
    CHECK(batch.keys == std::vector<row_key>{key("1", true), key("2", true)});
    ledger->add_changes(ledger->begin_transaction(std::nullopt), {key("1"), key("2", true)});
    ledger->batch_applied(batch);
    CHECK(take(*ledger).keys == std::vector<row_key>{key("1"), key("2", true)});
}

TEST_CASE("kept columns go through the incoming rows, and constants only to rows that begin anew") {
    copy_columns what;
    what.original = {"s", "t"};
    what.ghost = {"s", "_t_del"};
    what.columns = {{"id", "id", {}}, {"a", "b", {}}, {{}, "gone", {"0"}}};
    what.original_index = what.ghost_index = "PRIMARY";
    key_column id;
    id.original = id.ghost = "id";
    what.key = {id};
    what.kept = {"gone", "lost"};
    const auto statements = place_incoming_statements(what);
    REQUIRE(statements.size() == 4);
    CHECK(statements[2] ==
          "INSERT INTO `s`.`_t_del` (`id`, `b`, `gone`, `lost`) SELECT `id`, `b`, `gone`, `lost` FROM "
          "`s`.`_sluice_incoming` WHERE `_sluice_known` = 1");
    CHECK(statements[3] ==
          "INSERT INTO `s`.`_t_del` (`id`, `b`, `gone`) SELECT `id`, `b`, 0 FROM "
          "`s`.`_sluice_incoming` WHERE `_sluice_known` = 0");
    const std::vector<std::string> keys{"1", "2"};
    CHECK(
        fill_incoming_statement(what, keys, key_set_form::row_constructor, read_lock::share) ==
        "INSERT INTO `s`.`_sluice_incoming` (`id`, `b`, `gone`, `lost`, `_sluice_known`) SELECT `id`, `a`, NULL, NULL, "
        "0 FROM `s`.`t` FORCE INDEX (`PRIMARY`) WHERE `id` IN (1,2) LOCK IN SHARE MODE");
}

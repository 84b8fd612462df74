// The passes of the comparison, with a scripted server: what is asked, in which order, and what is made of the answers.

#include "migration/checksum/table_verification.hpp"
#include "tests/support/catch.hpp"

#include <functional>

using namespace sluice;
using namespace sluice::migration;

namespace {

column_description column(std::string name, std::string data_type, std::string column_type) {
    column_description made;
    made.name = std::move(name);
    made.data_type = std::move(data_type);
    made.column_type = std::move(column_type);
    return made;
}

migration_plan plan_of(bool converts) {
    migration_plan plan;
    plan.original = plan.original_description.name = {"s", "t"};
    plan.ghost = plan.ghost_description.name = {"s", "_t_gho"};
    plan.original_description.columns = {column("id", "int", "int"), column("v", "int", "int")};
    plan.ghost_description.columns = plan.original_description.columns;
    if (converts) plan.ghost_description.columns[1] = column("v", "json", "json");
    plan.ghost_description.columns.push_back(column("added", "int", "int"));
    plan.ghost_description.keys = {{"PRIMARY", true, true, "BTREE", {{"id", std::nullopt, false}}}};
    plan.columns.original = plan.original;
    plan.columns.ghost = plan.ghost;
    plan.columns.original_index = plan.columns.ghost_index = "PRIMARY";
    plan.columns.columns = {{"id", "id"}, {"v", "v"}};
    key_column key;
    key.original = key.ghost = "id";
    plan.columns.key = {key};
    return plan;
}

query_result numbers(std::vector<std::string> cells) {
    query_result made;
    made.rows.emplace_back(cells.begin(), cells.end());
    return made;
}

query_result keys(const std::vector<std::string>& found) {
    query_result made;
    for (const auto& key : found) made.rows.push_back({key});
    return made;
}

enum class question { chunk_end, compare, differing, surplus, create, clear, fill, conversions, verdicts };

question what_is(std::string_view sql) {
    const auto has = [&](std::string_view part) { return sql.find(part) != std::string_view::npos; };
    if (has(" OFFSET ")) return question::chunk_end;
    if (sql.starts_with("SELECT COUNT(*)")) return question::compare;
    if (sql.starts_with("CREATE TEMPORARY")) return question::create;
    if (sql.starts_with("TRUNCATE")) return question::clear;
    if (sql.starts_with("INSERT")) return question::fill;
    if (has("FROM `s`.`_sluice_scratch`")) return has(" LIMIT ") ? question::conversions : question::verdicts;
    if (has("FROM `s`.`_t_gho` AS `g`")) return question::surplus;
    return has(" LIMIT ") ? question::differing : question::verdicts;
}

class scripted_server final : public sql_session {
public:
    std::function<outcome<query_result>(question, std::string_view)> answer;
    std::vector<std::string> asked;
    std::uint64_t connection = 1;

    outcome<query_result> run(std::string_view sql) override {
        asked.emplace_back(sql);
        return answer(what_is(sql), sql);
    }
    [[nodiscard]] std::uint64_t connection_id() const override { return connection; }
    [[nodiscard]] std::size_t count(question kind) const {
        return static_cast<std::size_t>(
            std::count_if(asked.begin(), asked.end(), [&](const auto& sql) { return what_is(sql) == kind; }));
    }
};

/// A migration at rest: markers come back at once, and the applier does at once what it is given.
struct rig {
    explicit rig(bool converts = false)
        : plan(plan_of(converts)), work(plan, ledger, server, [this]() -> outcome<std::uint64_t> {
              ledger.marker_seen(++marker);
              return marker;
          }) {
        ledger.set_frontier(copy_frontier(std::nullopt, false));
    }

    outcome<pass_counts> pass() {
        work.begin_pass();
        for (int steps = 0; steps < 1'000; ++steps) {
            SLUICE_TRY(const bool more, work.step());
            while (const auto batch = ledger.take_batch(100, std::chrono::milliseconds(0))) {
                for (const auto& key : batch->keys) applied.push_back(key.literals);
                ledger.batch_applied(*batch);
            }
            if (!more) return work.report().last_pass;
        }
        return refuse("endless", "the pass does not end");
    }

    migration_plan plan;
    work_ledger ledger{{}};
    scripted_server server;
    std::uint64_t marker = 0;
    table_verification work;
    std::vector<std::string> applied;
};

failure lost() {
    failure why = refuse("connection_lost", "lost");
    why.then = disposition::retry;
    return why;
}

}  // namespace

TEST_CASE("checksum_verification: ranges follow each other without a gap, open at both ends") {
    rig here;
    here.server.answer = [&](question kind, std::string_view) -> outcome<query_result> {
        if (kind == question::chunk_end) {
            const auto chunks = here.server.count(question::chunk_end);
            return chunks == 1 ? keys({"10"}) : chunks == 2 ? keys({"20"}) : keys({});
        }
        REQUIRE(kind == question::compare);
        return numbers({"5", "0", "5", "5"});
    };
    const auto counts = here.pass();
    REQUIRE(counts);
    CHECK(counts->rows_counted == 15);
    CHECK(counts->rows_compared == 15);
    CHECK(here.work.report().passes == 1);
    CHECK(here.work.report().last_pass_ended);
    CHECK(here.work.report().columns_not_compared == std::vector<std::string>{"added"});
    CHECK(here.server.asked[1].ends_with("WHERE `o`.`id` <= 10"));
    CHECK(here.server.asked[3].ends_with("WHERE `o`.`id` > 10 AND `o`.`id` <= 20"));
    CHECK(here.server.asked[5].ends_with("WHERE `o`.`id` > 20"));
}

TEST_CASE("checksum_verification: an empty table is 0 compared of 0 counted, in one look at both tables") {
    rig here;
    here.server.answer = [&](question kind, std::string_view) -> outcome<query_result> {
        return kind == question::chunk_end ? keys({}) : numbers({"0", "0", "0", "0"});
    };
    const auto counts = here.pass();
    REQUIRE(counts);
    CHECK(counts->rows_counted == 0);
    CHECK(here.work.report().passes == 1);
    CHECK(here.server.asked.back().ends_with(" WHERE 1"));
}

TEST_CASE("checksum_verification: a row in flight is looked at again, behind the applier, and counts as compared") {
    rig here;
    here.server.answer = [&](question kind, std::string_view sql) -> outcome<query_result> {
        if (kind == question::chunk_end) return keys({});
        if (kind == question::compare) return numbers({"3", "1", "3", "3"});
        if (kind == question::differing && sql.find(" IN (") == std::string_view::npos) return keys({"7"});
        return keys({});
    };
    const auto counts = here.pass();
    REQUIRE(counts);
    CHECK(counts->rows_compared == 3);
    CHECK(counts->rows_repaired == 0);
    CHECK(here.applied.empty());
    CHECK(here.marker == 2);  // one before the look and one after it
}

TEST_CASE("checksum_verification: a difference in the number of rows alone is followed up") {
    rig here;
    here.server.answer = [&](question kind, std::string_view) -> outcome<query_result> {
        if (kind == question::chunk_end) return keys({});
        if (kind == question::compare) return numbers({"3", "0", "3", "4"});
        if (kind == question::surplus) return here.applied.empty() ? keys({"99"}) : keys({});
        return keys({});
    };
    const auto counts = here.pass();
    REQUIRE(counts);
    CHECK(counts->rows_counted == 3);
    CHECK(counts->rows_repaired == 1);
    CHECK(here.applied == std::vector<std::string>{"99"});
}

TEST_CASE("checksum_verification: what stays different after repairs ends the migration, named by key and column") {
    rig here;
    here.server.answer = [&](question kind, std::string_view) -> outcome<query_result> {
        if (kind == question::chunk_end) return keys({});
        if (kind == question::compare) return numbers({"3", "1", "3", "3"});
        if (kind == question::differing) return keys({"7"});
        if (kind == question::verdicts) return numbers({"7", "1", "1", "0"});
        return keys({});
    };
    const auto failed = here.pass();
    REQUIRE(failed.has_error());
    CHECK(failed.error().code == "verification_failed");
    CHECK(failed.error().message.find("key (7): differs in `v`") != std::string::npos);
    CHECK(here.applied == std::vector<std::string>{"7", "7"});
}

TEST_CASE("checksum_verification: a row that is equal again when it would be called wrong is looked at once more") {
    rig here;
    unsigned differing = 0;
    here.server.answer = [&](question kind, std::string_view) -> outcome<query_result> {
        if (kind == question::chunk_end) return keys({});
        if (kind == question::compare) return numbers({"3", "1", "3", "3"});
        // The range, and three looks with a repair after the first two.
        if (kind == question::differing && ++differing <= 4) return keys({"7"});
        return keys({});
    };
    const auto counts = here.pass();
    REQUIRE(counts);
    CHECK(counts->rows_repaired == 1);
    CHECK(counts->rows_compared == 3);
    CHECK(differing == 6);
    CHECK(here.applied == std::vector<std::string>{"7", "7"});
}

TEST_CASE("checksum_verification: a row that changes around each look is in motion, not wrong") {
    rig here;
    here.server.answer = [&](question kind, std::string_view) -> outcome<query_result> {
        if (kind == question::chunk_end) return keys({});
        if (kind == question::compare) return numbers({"3", "1", "3", "3"});
        if (kind != question::differing) return keys({});
        const auto transaction = here.ledger.begin_transaction(std::nullopt);
        here.ledger.add_changes(transaction, {{"7", {}}});
        return keys({"7"});
    };
    const auto counts = here.pass();
    REQUIRE(counts);
    CHECK(counts->rows_counted == 3);
    CHECK(counts->rows_compared == 2);
    CHECK(counts->rows_in_motion == 1);
    CHECK(counts->rows_repaired == 0);
}

TEST_CASE("checksum_verification: a join that does not return each row once is no comparison") {
    for (const char* joined : {"2", "4"}) {
        rig here;
        here.server.answer = [&](question kind, std::string_view) -> outcome<query_result> {
            return kind == question::chunk_end ? keys({}) : numbers({joined, "0", "3", "3"});
        };
        const auto failed = here.pass();
        REQUIRE(failed.has_error());
        CHECK(failed.error().code == "verification_failed");
    }
}

TEST_CASE("checksum_verification: after a lost connection the range is compared again and counted once") {
    rig here(true);
    bool failed_once = false;
    here.server.answer = [&](question kind, std::string_view) -> outcome<query_result> {
        if (kind == question::chunk_end) return keys({});
        if (kind == question::compare) return numbers({"3", "0", "3", "3"});
        if (kind == question::fill && !failed_once) {
            failed_once = true;
            here.server.connection = 2;
            return lost();
        }
        return keys({});
    };
    const auto counts = here.pass();
    REQUIRE(counts);
    CHECK(counts->rows_counted == 3);
    CHECK(here.server.count(question::create) == 2);
    CHECK(here.server.count(question::fill) == 2);
}

TEST_CASE("checksum_verification: a range with more differences than can be listed is read again, smaller") {
    rig here;
    std::vector<std::string> many;
    for (std::size_t i = 0; i < row_comparison::keys_max; ++i) many.push_back(std::to_string(i));
    here.server.answer = [&](question kind, std::string_view) -> outcome<query_result> {
        if (kind == question::chunk_end) return keys({});
        const bool again = here.server.count(question::compare) > 1;
        if (kind == question::compare) return numbers({"5000", again ? "0" : "2500", "5000", "5000"});
        if (kind == question::differing && here.server.count(question::differing) == 1) return keys(many);
        return keys({});
    };
    const auto counts = here.pass();
    REQUIRE(counts);
    CHECK(counts->rows_counted == 5'000);
    CHECK(here.server.count(question::compare) == 2);
    CHECK(here.server.asked[0].find("OFFSET 999") != std::string::npos);
    bool smaller = false;
    for (const auto& sql : here.server.asked) smaller = smaller || sql.find("OFFSET 499") != std::string::npos;
    CHECK(smaller);
}

TEST_CASE("checksum_verification: a row that cannot be converted is given time, then ends the migration") {
    for (const int failures : {3, 100}) {
        rig here(true);
        int left = failures;
        here.server.answer = [&](question kind, std::string_view) -> outcome<query_result> {
            if (kind == question::chunk_end) return keys({});
            if (kind == question::compare) return numbers({"3", "0", "3", "3"});
            if (kind == question::fill && left-- > 0) {
                failure why = refuse("invalid_value", "Invalid JSON text");
                why.server_errno = 3140;
                why.attempted = "INSERT INTO `s`.`_sluice_scratch`";
                return why;
            }
            return keys({});
        };
        const auto ended = here.pass();
        CHECK(ended.has_value() == (failures == 3));
        if (!ended) CHECK(ended.error().code == "invalid_value");
    }
}

TEST_CASE("checksum_verification: without the privilege for the scratch table it says which one is missing") {
    rig here(true);
    here.server.answer = [&](question, std::string_view) -> outcome<query_result> {
        failure why = refuse("access_denied", "Access denied");
        why.server_errno = 1044;
        return why;
    };
    const auto refused = here.work.prepare();
    REQUIRE(refused.has_error());
    CHECK(refused.error().code == "missing_privileges");
    CHECK(refused.error().message.find("CREATE TEMPORARY TABLES ON `s`.*") != std::string::npos);
}

// How a batch of keys is cut into statements: by what the server takes.

#include "migration/apply/apply_batch.hpp"
#include "tests/support/catch.hpp"

#include <algorithm>
#include <set>

using namespace sluice;
using namespace sluice::migration;

namespace {

migration_plan plan_of_one_key() {
    migration_plan plan;
    plan.original = plan.columns.original = {"s", "t"};
    plan.ghost = plan.columns.ghost = {"s", "_t_gho"};
    key_column key;
    key.original = key.ghost = "id";
    plan.columns.key = {key};
    copied_column id;
    id.original = id.ghost = "id";
    plan.columns.columns = {id};
    plan.columns.original_index = plan.columns.ghost_index = "PRIMARY";
    return plan;
}

std::vector<row_key> keys_up_to(int count) {
    std::vector<row_key> keys;
    for (int i = 0; i < count; ++i) keys.push_back({std::to_string(1'000 + i), ""});
    return keys;
}

failure too_large() {
    failure why = refuse("transaction_too_large", "Multi-statement transaction required more");
    why.then = disposition::retry;
    return why;
}

/// Takes what it is given, down.
struct recorder {
    std::vector<std::string> statements;
    std::size_t keys_max = 1'000;  ///< more of them in one statement are too large

    statement_runner runner() {
        return [this](std::string_view sql) -> outcome<query_result> {
            std::size_t keys = 0;
            for (std::size_t at = sql.find("1"); at != sql.npos; at = sql.find("1", at + 4)) ++keys;
            if (keys > keys_max) return too_large();
            statements.emplace_back(sql);
            return query_result{};
        };
    }
};

}  // namespace

TEST_CASE("no statement passes the server's limit, every key is in one of each kind, and deletes come first") {
    migration_plan plan = plan_of_one_key();
    plan.statement_bytes_max = 200;
    recorder server;
    REQUIRE(apply_batch(plan, server.runner(), keys_up_to(100), batch_commit::own_transaction, true));
    REQUIRE(server.statements.size() > 4);
    CHECK(server.statements.front() == "START TRANSACTION");
    CHECK(server.statements.back() == "COMMIT");
    bool inserting = false;
    std::size_t deleted = 0;
    std::size_t inserted = 0;
    for (const std::string& statement : server.statements) {
        CHECK(statement.size() <= plan.statement_bytes_max);
        const auto keys = static_cast<std::size_t>(std::count(statement.begin(), statement.end(), ',')) + 1;
        if (statement.starts_with("DELETE")) {
            CHECK_FALSE(inserting);
            deleted += keys;
        } else if (statement.starts_with("INSERT")) {
            inserting = true;
            inserted += keys;
        }
    }
    CHECK(deleted == 100);
    CHECK(inserted == 100);
}

TEST_CASE("by statement, what is too large for a transaction is halved until it fits") {
    migration_plan plan = plan_of_one_key();
    recorder server;
    server.keys_max = 3;
    REQUIRE(apply_batch(plan, server.runner(), keys_up_to(10), batch_commit::by_statement, true));
    std::set<std::string> all(server.statements.begin(), server.statements.end());
    CHECK(all.size() == server.statements.size());
    CHECK(server.statements.size() == 8);  // 10 -> 5, 5 -> 2, 3, 2, 3; of each kind
}

TEST_CASE("in a transaction of its own, what is too large is the caller's to cut") {
    migration_plan plan = plan_of_one_key();
    recorder server;
    server.keys_max = 3;
    const auto applied = apply_batch(plan, server.runner(), keys_up_to(10), batch_commit::own_transaction, true);
    REQUIRE_FALSE(applied);
    CHECK(applied.error().code == "transaction_too_large");
    CHECK(server.statements == std::vector<std::string>{"START TRANSACTION", "ROLLBACK"});
}

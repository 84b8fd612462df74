// Groups of tables that change places again and again under clients of the proxy, who move amounts between them: for
// nobody, at no moment, one table is new and another old.

#include "proxy/main/client/progress_view.hpp"
#include "proxy/main/demo/served_sluice.hpp"
#include "tests/integration/whole/wait_for_state.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/mysql_server.hpp"
#include "tests/support/shared_sum.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <string>
#include <vector>

using namespace sluice;
using namespace sluice::test;

namespace {

namespace json = boost::json;

constexpr std::int64_t hold_budget_ms = 2'000;

std::string begin_member(served_sluice& sluice, const std::string& table, std::size_t group_size, int round) {
    const json::object options{{"cutover_group", "books"},         {"cutover_group_size", group_size},
                               {"hold_interval_ms", 100},          {"page_flush_wait_ms", 0},
                               {"hold_budget_ms", hold_budget_ms}, {"drop_old_table", true},
                               {"cutover_attempts_max", 1'000}};
    const std::string alter = "ADD COLUMN extra" + std::to_string(round) + " INT NOT NULL DEFAULT 3";
    auto made = sluice.admin().post(
        "/v1/migrations",
        json::serialize(json::object{{"schema", "test"}, {"table", table}, {"alter", alter}, {"options", options}}));
    if (!made) FAIL(made.error().message);
    return read_progress(*made)->id;
}

/// The last attempt of a migration that completes.
json::object last_attempt(served_sluice& sluice, const std::string& id) {
    const json::object done = wait_for_state(sluice, id, "completed");
    const json::array& attempts = done.at("cutover_attempts").as_array();
    REQUIRE_FALSE(attempts.empty());
    return attempts.back().as_object();
}

}  // namespace

TEST_CASE("groups in a row under clients of the proxy: every reader finds the sum, and all tables share one hold") {
    const auto [kind, rounds] = GENERATE(table<server_kind, int>(
        {{server_kind::mysql_9_7, 4}, {server_kind::mariadb_10_11, 3}, {server_kind::mysql_5_6, 2}}));
    INFO(to_string(kind));
    const mysql_server server = start_server(kind);
    served_sluice sluice(SLUICE_PROGRAM, server.port());
    sql_connection root = connect(server, "test");
    shared_sum sum(server, {.tables = {"a", "b", "b1"}, .client_port = sluice.port(), .reads_in_transactions = true});
    for (int round = 0; round < rounds; ++round) {
        INFO("round " << round);
        std::vector<std::string> ids;
        for (const auto& table : sum.tables()) ids.push_back(begin_member(sluice, table, sum.tables().size(), round));
        std::vector<json::object> attempts;
        for (const auto& id : ids) attempts.push_back(last_attempt(sluice, id));
        for (const auto& attempt : attempts) {
            INFO(json::serialize(attempt));
            CHECK(attempt.at("succeeded").as_bool());
            CHECK(attempt.at("group").as_string() == "books");
            // One attempt, told by each.
            CHECK(attempt.at("steps") == attempts[0].at("steps"));
            CHECK(attempt.at("hold") == attempts[0].at("hold"));
            // A busy machine may take longer for the rename than statements are held: see cutovers_in_a_row_test.cpp.
            constexpr std::int64_t turn_ms_max = 2'000;
            CHECK(attempt.at("hold").at("hold_max_us").to_number<std::int64_t>() <=
                  (hold_budget_ms + turn_ms_max) * 1000);
        }
        wait_for_more("transfers", 50, [&] { return sum.transfers(); });
    }
    CHECK(sum.stop_and_compare(root) == "");
    for (const auto& table : sum.tables()) {
        CHECK(root.scalar("SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = 'test' AND table_name "
                          "= '" +
                          table + "' AND column_name LIKE 'extra%'") == std::to_string(rounds));
    }
    CHECK(root.scalar("SELECT GROUP_CONCAT(table_name ORDER BY table_name) FROM information_schema.tables WHERE "
                      "table_schema = 'test'") == "a,b,b1,sum_moves");
    CHECK(sluice.stop() == 0);
}

// What the operator was answered holds, though Sluice is killed at once: the next process does it.

#include "tests/integration/process_served.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"

#include <csignal>
#include <string>

namespace {

using namespace sluice::test;

constexpr const char* columns_of_t =
    "SELECT GROUP_CONCAT(column_name ORDER BY ordinal_position) FROM information_schema.columns WHERE table_schema = "
    "'test' AND table_name = 't'";
constexpr const char* tables =
    "SELECT GROUP_CONCAT(table_name ORDER BY table_name) FROM information_schema.tables "
    "WHERE table_schema = 'test'";

void kill(served& sluice) {
    sluice.process().signal(SIGKILL);
    CHECK(sluice.process().wait().exit_code == 128 + SIGKILL);
}

void tell(const served& sluice, const std::string& command, const std::string& id) {
    const auto told = sluice.run({command, id});
    INFO(told.err);
    REQUIRE(told.exit_code == 0);
}

/// Holds the metadata lock of a table until it commits, so that nobody drops or renames it.
sql_connection hold(const mysql_server& server, const std::string& table) {
    sql_connection holder = connect(server, "test");
    holder.exec("BEGIN");
    (void)holder.query("SELECT * FROM " + table + " LIMIT 1");
    return holder;
}

}  // namespace

TEST_CASE("an abort that was answered outlives a kill: the next process does not go on", "[process][orders_kept]") {
    const auto server = mysql_server::start();
    fill(server, "t", 20'000);
    sql_connection direct = connect(server, "test");
    served first(server);
    const std::string id =
        first.begin({"--schema", "test", "--table", "t", "--alter", "ADD x INT NOT NULL DEFAULT 3",
                     "--chunk-rows-fixed", "10", "--copy-workers", "1", "--checkpoint-interval-s", "1"});
    SECTION("it could have gone on from a checkpoint") {
        wait_for_value(direct, "SELECT report LIKE '%\"checkpoint\"%' FROM _sluice.migrations", "1");
    }
    SECTION("it would have begun again") {
        first.wait_until(id, "copied rows",
                         [](const boost::json::object& now) { return now.at("rows_copied").to_number<int>() != 0; });
    }
    sql_connection holder = hold(server, "_t_gho");  // it cannot come to its end
    tell(first, "abort", id);
    kill(first);
    CHECK(direct.scalar("SELECT state FROM _sluice.migrations") == "copying");

    served second(server);
    holder.exec("COMMIT");
    second.wait_for(id, "aborted");
    CHECK(direct.scalar(columns_of_t) == "id,v");
    CHECK(direct.scalar(tables) == "t");
}

TEST_CASE("a revert that was answered outlives a kill, and so does calling it off", "[process][orders_kept]") {
    const auto server = mysql_server::start();
    fill(server, "t", 500);
    sql_connection direct = connect(server, "test");
    served first(server);
    const std::string id = first.begin({"--schema", "test", "--table", "t", "--alter", "ADD x INT NOT NULL DEFAULT 3",
                                        "--keep-old-table-in-sync", "--hold-interval-ms", "100"});
    first.wait_for(id, "in_sync");
    sql_connection holder = hold(server, "t");  // no moment for a cut-over
    tell(first, "revert", id);

    SECTION("the revert") {
        kill(first);
        served second(server);
        holder.exec("COMMIT");
        second.wait_for(id, "reverted");
        CHECK(direct.scalar(columns_of_t) == "id,v");
    }
    SECTION("called off") {
        first.wait_for(id, "reverting");
        tell(first, "abort", id);
        kill(first);
        served second(server);
        second.wait_for(id, "in_sync");
        holder.exec("COMMIT");
        tell(second, "finish", id);
        second.wait_for(id, "completed");
        CHECK(direct.scalar(columns_of_t) == "id,v,x");
    }
}

TEST_CASE("an abort while the server takes no writes is stored as soon as it does: the next process does not go on",
          "[process][orders_kept]") {
    const auto server = mysql_server::start();
    fill(server, "t", 20'000);
    sql_connection direct = connect(server, "test");
    served first(server);
    const std::string id = first.begin({"--schema", "test", "--table", "t", "--alter", "ADD x INT NOT NULL DEFAULT 3",
                                        "--chunk-rows-fixed", "10", "--copy-workers", "1"});
    first.wait_until(id, "copied rows",
                     [](const boost::json::object& now) { return now.at("rows_copied").to_number<int>() != 0; });
    direct.exec("SET GLOBAL super_read_only = ON");
    tell(first, "abort", id);
    first.wait_for(id, "aborted");
    CHECK(direct.scalar("SELECT state FROM _sluice.migrations") != "aborted");
    direct.exec("SET GLOBAL super_read_only = OFF");
    direct.exec("SET GLOBAL read_only = OFF");
    wait_for_value(direct, "SELECT state FROM _sluice.migrations", "aborted");
    kill(first);
    served second(server);
    CHECK(second.show(id).at("state").as_string() == "aborted");
    CHECK(direct.scalar(columns_of_t) == "id,v");
}

TEST_CASE("what an ended way back promised to keep is kept by the next process too", "[process][orders_kept]") {
    const auto server = mysql_server::start();
    fill(server, "t", 500);
    sql_connection direct = connect(server, "test");
    direct.exec("ALTER TABLE t ADD n INT NOT NULL DEFAULT 1");
    served first(server);
    const std::string id = first.begin({"--schema", "test", "--table", "t", "--alter", "MODIFY n BIGINT NOT NULL",
                                        "--keep-old-table-in-sync", "--drop-old-table"});
    first.wait_for(id, "in_sync");
    sql_connection holder = hold(server, "_t_ghc");  // tidying does not come to its end
    direct.exec("UPDATE t SET n = 5000000000 WHERE id = 2");
    first.wait_for(id, "tidying");
    wait_for_value(direct, "SELECT state FROM _sluice.migrations", "tidying");
    kill(first);
    served second(server);
    holder.exec("COMMIT");
    second.wait_for(id, "completed");
    CHECK(direct.scalar(tables) == "_t_del,t");
}

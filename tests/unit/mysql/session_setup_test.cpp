// The statements that prepare a session.

#include "tests/support/catch.hpp"

#include "migration/mysql/session_setup.hpp"

using namespace sluice::migration;
using Catch::Matchers::Contains;

TEST_CASE("every session is told the settings that give the engine's statements their meaning") {
    mysql_executor_options options;
    options.lock_wait_limit = std::chrono::seconds(7);
    options.row_lock_wait_limit = std::chrono::seconds(0);
    std::string all;
    for (const auto& statement : session_setup_statements(options)) all += statement + ";";
    CHECK_THAT(all, Contains("SET NAMES utf8mb4;"));
    CHECK_THAT(all, Contains("READ COMMITTED, READ WRITE"));
    CHECK_THAT(all, Contains("time_zone = '+00:00'"));
    CHECK_THAT(all,
               Contains("'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION'"));
    CHECK_THAT(all, Contains(" lock_wait_timeout = 7"));
    CHECK_THAT(all, Contains("innodb_lock_wait_timeout = 1"));  // 0 would mean something else to the server
    CHECK_THAT(all, Contains("wait_timeout = 28800"));
}

TEST_CASE("variables that only some servers have are set where they are") {
    CHECK_THAT(optional_variables_query(), Contains("'max_execution_time', 'max_statement_time'"));
    CHECK(optional_setup_statement({}).empty());
    query_result some;
    some.columns = {"Variable_name", "Value"};
    some.rows = {{"explain_format", "TREE"}, {"max_execution_time", "1000"}, {cell(), cell()}};
    CHECK(optional_setup_statement(some) == "SET SESSION max_execution_time = 0, explain_format = TRADITIONAL");
}

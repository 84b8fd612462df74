#include "protocol/sql/show_request.hpp"

#include "tests/support/catch.hpp"

using namespace sluice::sql;

TEST_CASE("show_request: what Sluice answers itself") {
    const auto all = read_own_statement("SHOW MIGRATIONS");
    REQUIRE(all);
    CHECK(all->subject == show_subject::migrations);
    CHECK_FALSE(all->like);
    CHECK_FALSE(all->state);

    const auto like = read_own_statement("/* c */ show migrations like 'shop.%\\_x' ;");
    REQUIRE(like);
    CHECK(like->like == "shop.%\\_x");

    const auto state = read_own_statement("SHOW MIGRATIONS WHERE `State` = \"copying\"");
    REQUIRE(state);
    CHECK(state->state == "copying");

    const auto one = read_own_statement("SHOW MIGRATION 'ab''c'; -- end");
    REQUIRE(one);
    CHECK(one->subject == show_subject::migration);
    CHECK(one->id == "ab'c");

    REQUIRE(read_own_statement("SHOW PROXY STATUS"));
    CHECK(read_own_statement("SHOW PROXY STATUS")->subject == show_subject::proxy_status);
    REQUIRE(read_own_statement("show\tproxy\nsessions;"));
    CHECK(read_own_statement("show proxy sessions")->subject == show_subject::proxy_sessions);
}

TEST_CASE("show_request: everything else goes to the server") {
    for (const std::string text : {"",
                                   "SHOW",
                                   "SHOW STATUS",
                                   "SHOW MIGRATION",
                                   "SHOW MIGRATION 5",
                                   "SHOW MIGRATION id",
                                   "SHOW PROXY",
                                   "SHOW PROXY VARIABLES",
                                   "SHOW MIGRATIONS x",
                                   "SHOW MIGRATIONS LIKE",
                                   "SHOW MIGRATIONS LIKE x",
                                   "SHOW MIGRATIONS WHERE state",
                                   "SHOW MIGRATIONS WHERE state = 5",
                                   "SHOW MIGRATIONS WHERE id = 'x'",
                                   "SHOW MIGRATIONS WHERE state = 'x' OR 1",
                                   "SHOW MIGRATIONS; SELECT 1",
                                   "SELECT 1; SHOW MIGRATIONS",
                                   "'SHOW MIGRATIONS'",
                                   "EXPLAIN SHOW MIGRATIONS",
                                   "SHOW MIGRATIONS /* unclosed",
                                   "SHOW `MIGRATIONS`",
                                   "SHOW MIGRATION 'unclosed"}) {
        CAPTURE(text);
        CHECK_FALSE(read_own_statement(text));
    }
}

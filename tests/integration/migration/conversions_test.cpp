// Conversions that depend on more than the value, and servers of the other families: what comes out is what the
// server's own ALTER gives.

#include "tests/integration/migration/alter_oracle.hpp"
#include "tests/support/catch.hpp"

using namespace sluice;
using namespace sluice::test;
using Catch::Matchers::Contains;
using migration::migration_state;

namespace {

/// A zone whose clock is an hour ahead of UTC, and two from 31 March 2024 01:00 UTC to 27 October 01:00 UTC.
void make_zone(sql_connection& root) {
    root.exec("INSERT INTO mysql.time_zone (Time_zone_id, Use_leap_seconds) VALUES (900, 'N')");
    root.exec("INSERT INTO mysql.time_zone_name (Name, Time_zone_id) VALUES ('Test/Summer', 900)");
    root.exec(
        "INSERT INTO mysql.time_zone_transition_type (Time_zone_id, Transition_type_id, `Offset`, Is_DST, "
        "Abbreviation) VALUES (900, 0, 3600, 0, 'W'), (900, 1, 7200, 1, 'S')");
    root.exec(
        "INSERT INTO mysql.time_zone_transition (Time_zone_id, Transition_time, Transition_type_id) VALUES "
        "(900, -2147483648, 0), (900, 1711846800, 1), (900, 1729990800, 0)");
    root.exec("SET GLOBAL time_zone = 'Test/Summer'");
}

}  // namespace

TEST_CASE("conversions: TIMESTAMP and DATETIME turn into each other by the server's zone, summer time included") {
    const auto kind = GENERATE(server_kind::mysql_9_7, server_kind::mysql_5_6, server_kind::mariadb_10_11);
    INFO(to_string(kind));
    const mysql_server server = mysql_server::start({.kind = kind, .extra_arguments = {}});
    {
        sql_connection root = connect(server, "mysql");
        make_zone(root);
    }
    const auto result = alter_both(
        server, {"clocks", "(id INT PRIMARY KEY, t TIMESTAMP(3) NULL, d DATETIME(3), s TIMESTAMP NULL, e DATE)",
                 "VALUES (1, '2024-03-31 01:59:59.999', '2024-03-31 03:00:00', '2024-07-01 12:00:00', '2024-07-01'), "
                 "(2, '2024-10-27 02:30:00', '2024-10-27 02:30:00.5', '2024-01-01 12:00:00', '2024-01-01'), "
                 "(3, NULL, NULL, NULL, NULL), (4, '2037-01-01', '1970-01-01 01:00:01', '2000-01-01', '1999-12-31')",
                 "MODIFY t DATETIME(1), MODIFY d TIMESTAMP(3) NULL, MODIFY s VARCHAR(30), MODIFY e TIMESTAMP NULL"});
    INFO(error_text(*result.ended));
    CHECK(result.server_error.empty());
    CHECK(result.ended->state == migration_state::completed);
    CHECK(result.created == result.created_by_server);
    CHECK(result.content == result.content_by_server);

    for (const char* const moment : {"2024-03-31 02:30:00", "1970-01-01 00:30:00"}) {
        INFO(moment);
        const std::string name = moment[3] == '4' ? "skipped" : "too_early";
        const auto refused = alter_both(server, {name, "(id INT PRIMARY KEY, d DATETIME)",
                                                 "VALUES (7, '" + std::string(moment) + "')", "MODIFY d TIMESTAMP"});
        CHECK_FALSE(refused.server_error.empty());
        REQUIRE(refused.ended->state == migration_state::failed);
        CHECK(refused.ended->error->code == "invalid_value");
        CHECK_THAT(refused.ended->error->message, Contains("`id` = 7") && Contains(moment));
    }

    migration::migration_options options;
    options.time_zone = "Europe/Nowhere";
    const auto unknown = alter_both(server, {"nowhere", "(id INT PRIMARY KEY)", "", "ADD c INT"}, options);
    REQUIRE(unknown.ended->state == migration_state::failed);
    CHECK(unknown.ended->error->code == "unknown_time_zone");
}

TEST_CASE("conversions: MySQL 5.6 and MariaDB, too, give what their own ALTER gives") {
    const auto kind = GENERATE(server_kind::mysql_5_6, server_kind::mariadb_10_11);
    const mysql_server server = mysql_server::start({.kind = kind, .extra_arguments = {}});
    const std::vector<alter_case> shapes{
        {"columns", "(id INT PRIMARY KEY, a INT, b VARCHAR(20), KEY by_a (a))", "VALUES (1, 1, 'x'), (2, NULL, 'y')",
         "ADD n INT NOT NULL, ADD s VARCHAR(9) NOT NULL, ADD e ENUM('p','q') NOT NULL, CHANGE a c BIGINT, DROP b"},
        {"numbers", "(id INT PRIMARY KEY, a FLOAT, b DOUBLE, c YEAR, d DATE)",
         "VALUES (1, 1.1, 3.5, 2024, '2024-05-06'), (2, 16777217, 0, 0, '1999-12-31')",
         "MODIFY a VARCHAR(30), MODIFY b VARCHAR(30), MODIFY c CHAR(4), MODIFY d BIGINT"},
        {"charset", "(a VARCHAR(20) PRIMARY KEY, b TEXT) CHARSET latin1", "VALUES ('é', 'ü'), ('b', NULL)",
         "CONVERT TO CHARACTER SET utf8mb4"},
        {"text_key", "(id INT PRIMARY KEY, v INT)", "VALUES (1, 1), (2, 2), (30, 3)", "MODIFY id VARCHAR(11) NOT NULL"},
        {"other_primary", "(id INT PRIMARY KEY, k INT NOT NULL, UNIQUE KEY u (k))", "VALUES (1, 5), (2, 4)",
         "DROP PRIMARY KEY, ADD PRIMARY KEY (k, id)"},
        {"partitions", "(id INT PRIMARY KEY, v INT)", "VALUES (1, 1), (2, 2)", "PARTITION BY HASH (id) PARTITIONS 3"},
    };
    for (const auto& one : shapes) {
        INFO(to_string(kind) << " " << one.name << ": " << one.alter);
        const auto result = alter_both(server, one);
        INFO(error_text(*result.ended) << " server: " << result.server_error);
        CHECK(result.server_error.empty());
        CHECK(result.ended->state == migration_state::completed);
        CHECK(result.created == result.created_by_server);
        CHECK(result.content == result.content_by_server);
    }
    // MySQL 5.6 would store it as -1, in strict mode too.
    const auto refused = alter_both(server, {"signs", "(id INT PRIMARY KEY, v BIGINT UNSIGNED)",
                                             "VALUES (1, 18446744073709551615)", "MODIFY v BIGINT"});
    CHECK_FALSE(refused.server_error.empty());
    REQUIRE(refused.ended->state == migration_state::failed);
    CHECK(refused.ended->error->code == "out_of_range");
}

TEST_CASE("conversions: MariaDB's own types, conditions and constraints") {
    const mysql_server server = mysql_server::start({.kind = server_kind::mariadb_10_11, .extra_arguments = {}});
    const std::vector<alter_case> shapes{
        {"own_types", "(id INT PRIMARY KEY, a INT)", "VALUES (1, 1), (2, 2)",
         "ADD u UUID NOT NULL, ADD i INET6 NOT NULL, ADD COLUMN IF NOT EXISTS a INT, DROP COLUMN IF EXISTS gone, "
         "RENAME "
         "COLUMN a TO b"},
        {"hidden", "(id INT PRIMARY KEY, a INT INVISIBLE, b INT AS (id + 1) PERSISTENT)",
         "(id, a) VALUES (1, 1), (2, 2)", "ADD c INT DEFAULT 4 INVISIBLE"},
        {"rules", "(id INT PRIMARY KEY, a INT CHECK (a > 0), CONSTRAINT rule CHECK (id > 0))", "VALUES (1, 1), (2, 2)",
         "DROP CONSTRAINT rule, ADD CONSTRAINT rule CHECK (id > -1)"},
        {"text_number", "(id INT PRIMARY KEY, v VARCHAR(9))", "VALUES (1, '12'), (2, ' 7')", "MODIFY v INT"},
    };
    for (const auto& one : shapes) {
        INFO(one.name << ": " << one.alter);
        const auto result = alter_both(server, one);
        INFO(error_text(*result.ended) << " server: " << result.server_error);
        CHECK(result.ended->state == migration_state::completed);
        CHECK(result.created == result.created_by_server);
        CHECK(result.content == result.content_by_server);
    }
    const auto versioned =
        alter_both(server, {"versioned", "(id INT PRIMARY KEY)", "VALUES (1)", "ADD SYSTEM VERSIONING"});
    CHECK(versioned.ended->state == migration_state::failed);
}

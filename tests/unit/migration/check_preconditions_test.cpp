// The preconditions against scripted answers: servers and settings that the real ones of the tests are not.

#include "tests/support/catch.hpp"

#include "migration/check/granted_privileges.hpp"
#include "migration/check/named_cells.hpp"
#include "migration/check/preconditions.hpp"
#include "tests/unit/migration/check_scripted_session.hpp"

using namespace sluice::migration;
using Catch::Matchers::Contains;
using sluice::test::scripted_session;
namespace sql = sluice::sql;

namespace {

const std::vector<std::string> variable_columns{"Variable_name", "Value"};

/// Runs one precondition on a table `test`.`t`.
outcome<void> run(outcome<void> (*check)(const check_subject&), sql_session& session, server_facts facts = {},
                  std::string_view alter = "FORCE") {
    migration_spec spec;
    spec.table = {"test", "t"};
    const auto parsed = sql::parse_alter(alter);
    INFO((parsed.has_error() ? parsed.error().message : std::string()));
    REQUIRE(parsed.has_value());
    if (!facts.family) facts.family = family_of(false, 90700);
    return check({session, spec, *parsed, facts});
}

std::string code_of(const outcome<void>& answer) { return answer.has_error() ? answer.error().code : std::string(); }

query_result grants_of(std::vector<std::string> statements) {
    query_result result;
    result.columns = {"Grants for x@%"};
    for (auto& statement : statements) result.rows.push_back({std::move(statement)});
    return result;
}

}  // namespace

TEST_CASE("server versions are read for what they are") {
    struct expectation {
        const char* version;
        const char* comment;
        unsigned number;
        bool is_supported;
    };
    const auto expected = GENERATE(values<expectation>({
        {"9.7.0", "MySQL Community Server - GPL", 90700, true},
        {"8.0.13", "", 80013, true},
        {"8.0.35-27", "Percona Server", 80035, true},
        {"8.4.3-debug-log", "", 80403, true},
        {"8.0.12", "", 80012, true},
        {"5.7.44-log", "", 50744, true},
        {"5.6.5-m8", "", 50605, true},
        {"5.6.4", "", 50604, false},
        {"5.5.62", "", 50562, false},
        {"10.11.19-MariaDB-0+deb12u1-log", "Debian 12", 101119, true},
        {"11.4.2-mariadb", "", 110402, true},
        {"11.4.2", "MariaDB Server", 110402, true},
        {"10.4.34-MariaDB", "", 100434, false},
        {"", "", 0, false},
        {"nine", "", 0, false},
        {"9", "", 0, false},
        {"9.7", "", 0, false},
        {"9.7.100000000000000", "", 0, false},
    }));
    CAPTURE(expected.version, expected.comment);
    scripted_session session;
    session.when("SHOW GLOBAL VARIABLES", variable_columns,
                 {{"version", expected.version},
                  {"VERSION_COMMENT", expected.comment},
                  {"gtid_mode", "ON"},
                  {"lower_case_table_names", "2"}});
    const auto facts = check_server(session);
    CHECK(facts.has_value() == expected.is_supported);
    if (facts.has_value()) {
        CHECK(facts->version_number == expected.number);
        CHECK(facts->gtid_mode_on);
        CHECK(facts->lower_case_table_names == 2);
        REQUIRE(facts->family);
        CHECK(facts->family->product() == (expected.number >= 100'000 ? "MariaDB" : "MySQL"));
        CHECK(facts->family->rename_under_lock() == (facts->family->product() == "MySQL" && expected.number >= 80013));
        CHECK(facts->family->confirms_by_gtid(true) == facts->family->rename_under_lock());
        CHECK_FALSE(facts->family->confirms_by_gtid(false));
    } else {
        CHECK(facts.error().code == "unsupported_server");
        CHECK_THAT(facts.error().message, Contains(expected.version) && Contains("5.6.5"));
    }
}

TEST_CASE("GTIDs count as followed only when every transaction has one") {
    for (const char* mode : {"OFF", "OFF_PERMISSIVE", "ON_PERMISSIVE", "ON", "on"}) {
        CAPTURE(mode);
        scripted_session session;
        session.when("SHOW GLOBAL VARIABLES", variable_columns, {{"version", "9.7.0"}, {"gtid_mode", mode}});
        CHECK(check_server(session)->gtid_mode_on == (std::string_view(mode).size() == 2));
    }
    scripted_session without;
    without.when("SHOW GLOBAL VARIABLES", variable_columns, {{"version", "9.7.0"}});
    CHECK_FALSE(check_server(without)->gtid_mode_on);
}

TEST_CASE("clauses: what a copy can carry out and what it cannot") {
    struct expectation {
        const char* alter;
        bool is_fine;
    };
    const auto expected = GENERATE(values<expectation>({
        {"ADD COLUMN c INT", true},
        {"DROP COLUMN c, ADD INDEX (d), CONVERT TO CHARACTER SET utf8mb4", true},
        {"ENGINE=InnoDB", true},
        {"ENGINE = innodb, ROW_FORMAT=DYNAMIC", true},
        {"ADD CONSTRAINT positive CHECK (v > 0)", true},
        {"PARTITION BY HASH (id) PARTITIONS 4", true},
        {"REMOVE PARTITIONING", true},
        {"add partition (partition p9 values less than (9))", true},
        {"COALESCE PARTITION 2", true},
        {"REORGANIZE PARTITION p0 INTO (PARTITION a VALUES LESS THAN (1), PARTITION b VALUES LESS THAN (2))", true},
        {"ENGINE=MyISAM", false},
        {"ALGORITHM=INPLACE, ADD COLUMN c INT", true},
        {"ADD COLUMN c INT, LOCK=NONE", true},
        {"ADD COLUMN c INT, ALGORITHM=INSTANT", false},
        {"ADD FOREIGN KEY (a) REFERENCES b (c)", false},
        {"DROP FOREIGN KEY f", true},
        {"DROP CHECK c", true},
        {"ALTER CHECK c NOT ENFORCED", true},
        {"DROP PARTITION p0", false},
        {"TRUNCATE PARTITION p0", false},
        {"EXCHANGE PARTITION p0 WITH TABLE x", false},
        {"REBUILD PARTITION ALL", false},
        {"OPTIMIZE PARTITION p0", false},
        {"CHECK PARTITION p0", false},
        {"REPAIR PARTITION p0", false},
    }));
    CAPTURE(expected.alter);
    scripted_session session;
    const auto answer = run(check_alter, session, {}, expected.alter);
    CHECK(code_of(answer) == (expected.is_fine ? "" : "unsupported_alter"));
    CHECK(session.statements.empty());
}

TEST_CASE("privileges as SHOW GRANTS prints them") {
    const auto granted = [](std::vector<std::string> statements) {
        return granted_privileges(grants_of(std::move(statements)), "my_app");
    };
    SECTION("on the schema and globally") {
        const auto some = granted({"GRANT PROCESS, REPLICATION SLAVE ON *.* TO `x`@`%`",
                                   "GRANT SELECT, LOCK TABLES ON `my_app`.* TO `x`@`%` WITH GRANT OPTION"});
        CHECK(some.has_global("PROCESS"));
        CHECK(some.has_global("REPLICATION SLAVE"));
        CHECK_FALSE(some.has_global("REPLICATION"));
        CHECK_FALSE(some.has_global("SELECT"));
        CHECK(some.has_on_schema("SELECT"));
        CHECK(some.has_on_schema("LOCK TABLES"));
        CHECK(some.has_on_schema("PROCESS"));
        CHECK_FALSE(some.has_on_schema("INSERT"));
    }
    SECTION("ALL covers everything where it is given") {
        const auto here = granted({"GRANT ALL PRIVILEGES ON `my_app`.* TO `x`@`%`"});
        CHECK(here.has_on_schema("TRIGGER"));
        CHECK_FALSE(here.has_global("PROCESS"));
        const auto everywhere =
            granted({"GRANT ALL PRIVILEGES ON *.* TO 'x'@'%' IDENTIFIED BY PASSWORD '*1' WITH GRANT OPTION"});
        CHECK(everywhere.has_on_schema("TRIGGER"));
        CHECK(everywhere.has_global("PROCESS"));
    }
    SECTION("other schemas, tables, columns, routines, roles and proxies do not count") {
        const auto none = granted({"GRANT SELECT ON `other`.* TO `x`@`%`", "GRANT SELECT ON `my_app`.`t` TO `x`@`%`",
                                   "GRANT SELECT (`a`, `b`) ON `my_app`.* TO `x`@`%`",
                                   "GRANT EXECUTE ON PROCEDURE `my_app`.`SELECT` TO `x`@`%`",
                                   "GRANT `SELECT`@`%` TO `x`@`%`", "GRANT PROXY ON ``@`` TO `x`@`%`", "SELECT", ""});
        CHECK_FALSE(none.has_on_schema("SELECT"));
        CHECK_FALSE(none.has_on_schema("EXECUTE"));
        CHECK_FALSE(none.has_global("PROXY"));
    }
    SECTION("a privilege beside one on columns counts") {
        const auto some = granted({"GRANT INSERT, SELECT (`a`), UPDATE ON `my_app`.* TO `x`@`%`"});
        CHECK(some.has_on_schema("INSERT"));
        CHECK(some.has_on_schema("UPDATE"));
        CHECK_FALSE(some.has_on_schema("SELECT"));
    }
    SECTION("partial revokes take a global privilege back, not one on the schema itself") {
        const std::string all = "GRANT SELECT, DELETE ON *.* TO `x`@`%`";
        const std::string revoke = "REVOKE DELETE ON `my_app`.* FROM `x`@`%`";
        CHECK(granted({all, revoke}).has_on_schema("SELECT"));
        CHECK_FALSE(granted({all, revoke}).has_on_schema("DELETE"));
        CHECK(granted({all, "REVOKE DELETE ON `other`.* FROM `x`@`%`"}).has_on_schema("DELETE"));
        CHECK(granted({all, revoke, "GRANT DELETE ON `my_app`.* TO `x`@`%`"}).has_on_schema("DELETE"));
    }
    SECTION("quoted names") {
        CHECK(granted_privileges(grants_of({"GRANT SELECT ON `we``ird`.* TO `x`@`%`"}), "we`ird")
                  .has_on_schema("SELECT"));
    }
}

TEST_CASE("schema patterns of grants") {
    struct expectation {
        const char* pattern;
        const char* schema;
        bool covers;
    };
    const auto expected = GENERATE(values<expectation>({
        {"app", "app", true},    {"app", "App", false}, {"app", "apps", false}, {"app", "ap", false},
        {"%", "app", true},      {"%", "", true},       {"a%", "app", true},    {"%p", "app", true},
        {"a%x", "app", false},   {"a_p", "app", true},  {"a_p", "ap", false},   {"a\\_p", "a_p", true},
        {"a\\_p", "abp", false}, {"a\\%", "a%", true},  {"a\\%", "ab", false},  {"a%b%c", "a12b3c", true},
        {"a_", "aö", true},      {"__", "ö", false},    {"", "", true},         {"", "a", false},
    }));
    CAPTURE(expected.pattern, expected.schema);
    CHECK(grant_covers_schema(expected.pattern, expected.schema) == expected.covers);
}

TEST_CASE("the binary log: off, another format, filtered") {
    struct expectation {
        const char* log_bin;
        const char* format;
        const char* only;
        const char* without;
        int letter_case;
        const char* code;
    };
    const auto expected = GENERATE(values<expectation>({
        {"ON", "ROW", "", "", 0, ""},
        {"ON", "", "", "", 0, ""},  // a server that has no other format any more
        {"1", "row", "", "", 0, ""},
        {"OFF", "ROW", "", "", 0, "binlog_off"},
        {"ON", "MIXED", "", "", 0, "binlog_format"},
        {"ON", "STATEMENT", "", "", 0, "binlog_format"},
        {"ON", "ROW", "a,test,b", "", 0, ""},
        {"ON", "ROW", "a,tests", "", 0, "binlog_filtered"},
        {"ON", "ROW", "Test", "", 0, "binlog_filtered"},
        {"ON", "ROW", "Test", "", 1, ""},
        {"ON", "ROW", "", "a,b", 0, ""},
        {"ON", "ROW", "", "b,test", 0, "binlog_filtered"},
        {"ON", "ROW", "", "TEST", 1, "binlog_filtered"},
    }));
    CAPTURE(expected.log_bin, expected.format, expected.only, expected.without, expected.letter_case);
    scripted_session session;
    session.when("SHOW GLOBAL VARIABLES", variable_columns,
                 {{"log_bin", expected.log_bin}, {"binlog_format", expected.format}});
    session.when("SHOW BINARY LOG STATUS", {"File", "Position", "Binlog_Do_DB", "Binlog_Ignore_DB"},
                 {{"binlog.000001", "4", expected.only, expected.without}});
    server_facts facts;
    facts.lower_case_table_names = expected.letter_case;
    CHECK(code_of(run(check_binlog, session, facts)) == expected.code);
}

TEST_CASE("servers before 8.2 know the binary log's status under its old name") {
    scripted_session session;
    session.when("SHOW GLOBAL VARIABLES", variable_columns, {{"log_bin", "ON"}, {"binlog_format", "ROW"}});
    session.fail_when("SHOW BINARY LOG STATUS", 1064, "server_error");
    session.when("SHOW MASTER STATUS", {"File", "Position", "Binlog_Do_DB", "Binlog_Ignore_DB"},
                 {{"binlog.000001", "4", "", "test"}});
    for (const auto& family : {family_of(false, 50624), family_of(false, 80199), family_of(true, 101100)}) {
        server_facts facts;
        facts.family = family;
        CHECK(code_of(run(check_binlog, session, facts)) == "binlog_filtered");
    }
    CHECK(code_of(run(check_binlog, session)) == "server_error");

    scripted_session lost;
    lost.when("SHOW GLOBAL VARIABLES", variable_columns, {{"log_bin", "ON"}});
    lost.fail_when("STATUS", 2013, "connection_lost");
    CHECK(code_of(run(check_binlog, lost)) == "connection_lost");
}

TEST_CASE("read-only servers are refused for the variable that says so") {
    for (const char* name : {"read_only", "super_read_only", "innodb_read_only"}) {
        CAPTURE(name);
        scripted_session session;
        session.when("SHOW GLOBAL VARIABLES", variable_columns,
                     {{"read_only", "OFF"}, {"super_read_only", "OFF"}, {"innodb_read_only", "OFF"}, {name, "ON"}});
        const auto answer = run(check_writable, session);
        CHECK(code_of(answer) == "read_only");
        CHECK_THAT(answer.error().message, Contains(" " + std::string(name) + " = ON"));
    }
    scripted_session writable;
    writable.when("SHOW GLOBAL VARIABLES", variable_columns, {{"read_only", "OFF"}});
    CHECK(run(check_writable, writable).has_value());
}

TEST_CASE("names of foreign keys compare as the server compares names") {
    scripted_session session;
    CHECK(run(check_foreign_keys, session).has_value());
    CHECK_THAT(session.statements.back(), Contains("CAST(FOR_NAME AS BINARY) = CAST('test/t' AS BINARY)"));
    server_facts folding;
    folding.lower_case_table_names = 1;
    CHECK(run(check_foreign_keys, session, folding).has_value());
    CHECK_THAT(session.statements.back(), Contains("LOWER(REF_NAME) = LOWER('test/t')"));
}

TEST_CASE("long lists of names are cut") {
    CHECK(listed({}).empty());
    CHECK(listed({"a"}) == "a");
    CHECK(listed({"a", "b"}, 2) == "a, b");
    CHECK(listed({"a", "b", "c", "d"}, 2) == "a, b and 2 more");

    scripted_session session;
    scripted_session::rows many;
    for (int i = 0; i < 25; ++i) many.push_back({"trigger" + std::to_string(i)});
    session.when("TRIGGERS", {"TRIGGER_NAME"}, many);
    CHECK_THAT(run(check_triggers, session).error().message, Contains("trigger9 and 15 more"));
}

TEST_CASE("leftovers: how they are cleaned up depends on which they are") {
    scripted_session session;
    session.when("TABLES", {"TABLE_NAME"}, {{"_t_gho"}});
    CHECK_THAT(run(check_artefacts, session).error().message,
               Contains("`test`.`_t_gho`") && Contains("drop_leftovers"));
    scripted_session with_rows;
    with_rows.when("TABLES", {"TABLE_NAME"}, {{"_t_del"}, {"_t_gho"}});
    CHECK_THAT(run(check_artefacts, with_rows).error().message,
               Contains("`test`.`_t_del` holds the rows") && !Contains("drop_leftovers"));
}

TEST_CASE("cells are found by name in any letter case, and numbers are numbers") {
    query_result result;
    result.columns = {"NAME", "n", "x"};
    result.rows = {{"t", "18446744073709551615", cell()}, {"", "12a", "-1"}, {"short"}};
    CHECK(named_cells(result, 0).text("name") == "t");
    CHECK(named_cells(result, 0).number("N") == 18446744073709551615U);
    CHECK(named_cells(result, 0).text("x").empty());
    CHECK_FALSE(named_cells(result, 0).number("x").has_value());
    CHECK_FALSE(named_cells(result, 1).number("n").has_value());
    CHECK_FALSE(named_cells(result, 1).number("x").has_value());
    CHECK(named_cells(result, 0).find("y") == nullptr);
    CHECK(named_cells(result, 2).find("n") == nullptr);
}

TEST_CASE("a lost connection in the middle of the checks is told as what it is") {
    scripted_session session;
    session.fail_when("SHOW GLOBAL VARIABLES", 2013, "connection_lost");
    migration_spec spec;
    spec.table = {"test", "t"};
    const auto answer = run_checks(session, spec, sql::parse_alter("FORCE").value());
    REQUIRE(answer.has_error());
    CHECK(answer.error().code == "connection_lost");
    CHECK(session.statements.size() == 1);
}

// What does not fit the new definition ends the migration with a stable code, the row, the value and the counts, and
// the original as it was: where the copy meets it, and where a client writes it meanwhile. Values that move do fit.

#include "tests/integration/migration/alter_oracle.hpp"
#include "tests/integration/migration/moving_values.hpp"
#include "tests/support/catch.hpp"

#include <random>

using namespace sluice;
using namespace sluice::test;
using Catch::Matchers::Contains;
using migration::migration_state;

namespace {

const mysql_server& shared_server() {
    static const mysql_server server = mysql_server::start();
    return server;
}

struct loss {
    const char* table;
    const char* columns;
    const char* good;  ///< rows that fit, behind VALUES; the key is `id`, 1 and 2
    const char* bad;   ///< one that does not; id = 3
    const char* alter;
    const char* code;
    const char* value;  ///< as the message shows it
};

const std::vector<loss> losses{
    {"l_null", "v INT", "(1, 1), (2, 2)", "(3, NULL)", "MODIFY v INT NOT NULL", "null_not_allowed", "`v` = NULL"},
    {"l_range", "v INT", "(1, 1), (2, 2)", "(3, 70000)", "MODIFY v SMALLINT", "out_of_range", "`v` = '70000'"},
    {"l_sign", "v BIGINT UNSIGNED", "(1, 1), (2, 2)", "(3, 18446744073709551615)", "MODIFY v BIGINT", "out_of_range",
     "`v` = '18446744073709551615'"},
    {"l_length", "v VARCHAR(20)", "(1, 'a'), (2, 'b')", "(3, 'much too long')", "MODIFY v VARCHAR(5)", "data_truncated",
     "`v` = 'much too long'"},
    {"l_enum", "v ENUM('a','b')", "(1, 'a'), (2, 'a')", "(3, 'b')", "MODIFY v ENUM('a')", "data_truncated",
     "`v` = 'b'"},
    {"l_set", "v SET('a','b')", "(1, 'a'), (2, '')", "(3, 'a,b')", "MODIFY v SET('a')", "data_truncated",
     "`v` = 'a,b'"},
    {"l_number", "v VARCHAR(20)", "(1, '7'), (2, '-8')", "(3, '9x')", "CHANGE v w INT", "data_truncated", "`v` = '9x'"},
    {"l_charset", "v VARCHAR(20) CHARACTER SET utf8mb4", "(1, 'a'), (2, 'é')", "(3, '日本')",
     "MODIFY v VARCHAR(20) CHARACTER SET latin1", "invalid_value", "`v` = '日本'"},
    {"l_date", "v DATE", "(1, '2024-01-01'), (2, NULL)", "(3, '0000-00-00')", "MODIFY v DATETIME", "zero_date",
     "`v` = '0000-00-00'"},
    {"l_json", "v VARCHAR(20)", "(1, '{}'), (2, NULL)", "(3, '{')", "MODIFY v JSON", "invalid_value", "`v` = '{'"},
    {"l_check", "v INT", "(1, 1), (2, NULL)", "(3, -1)", "ADD CHECK (v > 0)", "check_violated", ""},
    {"l_partition", "v INT", "(1, 1), (2, 2)", "(3, 1)", "PARTITION BY RANGE (id) (PARTITION p VALUES LESS THAN (3))",
     "no_partition", ""},
    {"l_new_date", "v INT", "", "(3, 1)", "ADD w DATE NOT NULL", "zero_date", ""},
    {"l_unique", "v INT", "(1, 10), (2, 20)", "(3, 10)", "ADD UNIQUE u (v)", "unique_key_conflict",
     "the row with `id` = 1 has the value already"},
    {"l_collation", "v VARCHAR(9) COLLATE utf8mb4_bin, UNIQUE u (v)", "(1, 'a'), (2, 'b')", "(3, 'A')",
     "MODIFY v VARCHAR(9) COLLATE utf8mb4_0900_ai_ci", "unique_key_conflict",
     "the row with `id` = 1 has the value already"},
    {"l_generated", "v INT", "(1, 4), (2, 6)", "(3, 5)", "ADD g INT AS (v DIV 2) STORED, ADD UNIQUE u (g)",
     "unique_key_conflict", "`u`"},
};

migration::migration_spec spec_of(const loss& one) {
    migration::migration_spec spec{{"test", one.table}, one.alter, {}};
    spec.options.chunk_rows_fixed = 10;
    spec.options.postpone_cutover = true;
    return spec;
}

void make(sql_connection& root, const loss& one, bool with_bad) {
    root.exec(std::string("DROP TABLE IF EXISTS ") + one.table);
    root.exec("SET SESSION sql_mode = ''");
    root.exec(std::string("CREATE TABLE ") + one.table + " (id INT PRIMARY KEY, " + one.columns + ")");
    if (*one.good != '\0') root.exec(std::string("INSERT INTO ") + one.table + " VALUES " + one.good);
    if (with_bad) root.exec(std::string("INSERT INTO ") + one.table + " VALUES " + one.bad);
}

void check_end(sql_connection& root, const loss& one, const migration::migration_snapshot& ended, const rows& before) {
    INFO(error_text(ended));
    REQUIRE(ended.state == migration_state::failed);
    CHECK(ended.error->code == one.code);
    CHECK_THAT(ended.error->message, Contains("`id` = 3"));
    CHECK_THAT(ended.error->message, Contains(one.value));
    CHECK_THAT(ended.error->message, Contains("rows had been copied") && Contains("The table is unchanged"));
    CHECK(content_of(root, one.table) == before);
    CHECK(root.query(std::string("SHOW TABLES LIKE '\\_") + one.table + "%'").empty());
}

}  // namespace

TEST_CASE("loss: a row that does not fit is met by the copy") {
    const auto& one = losses[GENERATE(range(std::size_t{0}, losses.size()))];
    INFO(one.table << ": " << one.alter);
    sql_connection root = connect(shared_server(), "test");
    make(root, one, true);
    const auto before = content_of(root, one.table);
    auto engine = engine_on(shared_server());
    const auto created = engine->create(spec_of(one));
    REQUIRE(created);
    check_end(root, one, *wait_for_end(*engine, (*created)->id), before);
    // And the server's own ALTER does not take it either.
    root.exec("SET SESSION sql_mode = @@GLOBAL.sql_mode");
    CHECK_THROWS_AS(root.exec(std::string("ALTER TABLE ") + one.table + " " + one.alter), sql_error);
}

TEST_CASE("loss: a row that does not fit is written while the table is migrated") {
    const auto& one = losses[GENERATE(range(std::size_t{0}, losses.size()))];
    INFO(one.table << ": " << one.alter);
    sql_connection root = connect(shared_server(), "test");
    make(root, one, false);
    auto engine = engine_on(shared_server());
    const auto created = engine->create(spec_of(one));
    REQUIRE(created);
    wait_for_ready(*engine, (*created)->id);
    root.exec(std::string("INSERT INTO ") + one.table + " VALUES " + one.bad);
    const auto before = content_of(root, one.table);
    check_end(root, one, *wait_for_end(*engine, (*created)->id), before);
}

TEST_CASE("loss: zero dates in columns that the ALTER leaves alone are kept, where the server keeps them") {
    const auto result =
        alter_both(shared_server(),
                   {"kept_zeros", "(id INT PRIMARY KEY, d DATE, e DATETIME(3), t TIMESTAMP NULL)",
                    "VALUES (1, '0000-00-00', '2024-00-10', '0000-00-00')", "ADD KEY by_e (e), ADD c INT NOT NULL"});
    INFO(error_text(*result.ended));
    CHECK(result.ended->state == migration_state::completed);
    CHECK(result.server_error.empty());
    CHECK(result.content == result.content_by_server);
}

TEST_CASE("loss: a unique key that may be NULL identifies rows with consent, until one is NULL") {
    sql_connection root = connect(shared_server(), "test");
    const auto migrate = [&](bool consent, bool postpone) {
        migration::migration_spec spec{{"test", "nulls"}, "ADD c INT NOT NULL", {}};
        spec.options.allow_nullable_unique_key = consent;
        spec.options.postpone_cutover = postpone;
        spec.options.drop_old_table = true;
        return spec;
    };
    root.exec("CREATE TABLE nulls (a INT NOT NULL, b INT, v INT, UNIQUE KEY u (a, b))");
    root.exec("INSERT INTO nulls VALUES (1, 1, 1), (1, 2, 2), (2, 1, 3)");
    auto engine = engine_on(shared_server());
    auto created = engine->create(migrate(false, false));
    REQUIRE(created);
    CHECK(wait_for_end(*engine, (*created)->id)->error->code == "nullable_unique_key");

    created = engine->create(migrate(true, true));
    REQUIRE(created);
    wait_until(*engine, (*created)->id, [](const auto& s) { return s.state == migration_state::ready; });
    root.exec("INSERT INTO nulls VALUES (1, NULL, 4)");
    auto ended = wait_for_end(*engine, (*created)->id);
    CHECK(ended->error->code == "null_in_key");

    created = engine->create(migrate(true, false));
    REQUIRE(created);
    ended = wait_for_end(*engine, (*created)->id);
    REQUIRE(ended->state == migration_state::failed);
    CHECK(ended->error->code == "null_in_key");
    CHECK(root.scalar("SELECT COUNT(*) FROM nulls") == "4");

    root.exec("DELETE FROM nulls WHERE b IS NULL");
    created = engine->create(migrate(true, false));
    REQUIRE(created);
    ended = wait_for_end(*engine, (*created)->id);
    INFO(error_text(*ended));
    CHECK(ended->state == migration_state::completed);
    CHECK(root.query("SELECT a, b, v, c FROM nulls ORDER BY v") ==
          rows{{"1", "1", "1", "0"}, {"1", "2", "2", "0"}, {"2", "1", "3", "0"}});
}

TEST_CASE("loss: values that swap within one statement, or pass along a chain of hundred rows, are no conflict") {
    migration::migration_spec spec{{"test", "chained"}, "ADD COLUMN extra INT NOT NULL DEFAULT 3", {}};
    spec.options.drop_old_table = true;
    std::mt19937 random(11);
    check_values_may_move(shared_server(), spec, 2'000, 6, [&random](sql_connection& connection, unsigned number) {
        const unsigned from = static_cast<unsigned>(random() % 1'800);
        const std::string range = " WHERE id BETWEEN " + std::to_string(from) + " AND " + std::to_string(from + 99);
        connection.exec("START TRANSACTION");
        if (number % 2 == 0) {
            // Each row takes the next one's value, and the last one the first one's: one row at a time.
            const auto found = connection.query("SELECT id, v FROM chained" + range + " ORDER BY id FOR UPDATE");
            connection.exec("UPDATE chained SET v = -1 - v WHERE id = " + *found.front()[0]);
            for (std::size_t i = 0; i + 1 < found.size(); ++i) {
                connection.exec("UPDATE chained SET v = -1 - v WHERE id = " + *found[i + 1][0]);
                connection.exec("UPDATE chained SET v = " + *found[i + 1][1] + " WHERE id = " + *found[i][0]);
            }
            connection.exec("UPDATE chained SET v = " + *found.front()[1] + " WHERE id = " + *found.back()[0]);
        } else {
            // One statement moves all of them aside, one brings them back in reverse.
            connection.exec("UPDATE chained SET v = -1 - v" + range);
            connection.exec(
                "UPDATE chained c JOIN (SELECT a.id, b.v FROM (SELECT id, v, ROW_NUMBER() OVER (ORDER BY "
                "id) n FROM chained" +
                range + ") a JOIN (SELECT v, ROW_NUMBER() OVER (ORDER BY id DESC) n FROM chained" + range +
                ") b USING (n)) x USING (id) SET c.v = -1 - x.v");
        }
        connection.exec("COMMIT");
    });
}

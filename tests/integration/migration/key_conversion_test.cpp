// Keys whose values the ALTER converts, under concurrent writes that hit equal and nearly equal keys. Each table is
// compared, row for row, with what the server itself makes of a mirror by the same ALTER.

#include "tests/integration/migration/engine_rig.hpp"
#include "tests/integration/migration/mirrored_writes.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/row_compare.hpp"

#include <atomic>
#include <random>
#include <thread>

using namespace sluice;
using namespace sluice::test;
using migration::migration_state;

namespace {

struct conversion_case {
    const char* name;
    const char* key_definition;  ///< columns and the key
    std::vector<std::string> key;
    std::function<std::string(unsigned)> key_values;
    const char* alter;
    bool nullable = false;
    bool writers_know_the_old_form_only = false;  ///< their literals are no keys of the new table
};

std::string text(unsigned n) { return std::to_string(n); }

std::string quoted(unsigned n) { return "'" + text(n) + "'"; }

std::string date(unsigned n) {
    const auto two = [](unsigned part) { return (part < 10 ? "0" : "") + text(part); };
    return "'" + text(2000 + n / 336) + "-" + two(1 + n / 28 % 12) + "-" + two(1 + n % 28) + "'";
}

// Letter case and accents by n: in an _ai_ci collation several of them are one key.
std::string accented(unsigned n) {
    static const char* const words[] = {"Cafe", "café", "CAFÉ", "naive", "naïve"};
    return "'" + std::string(words[n % 5]) + text(n / 10) + "'";
}

std::string latin(unsigned n) {
    static const char* const words[] = {"äbc", "o''", "zü"};
    return "'" + std::string(words[n % 3]) + text(n / 3) + (n % 2 == 0 ? " " : "") + "'";
}

std::string binary4(unsigned n) {
    static const char* const digits = "0123456789ABCDEF";
    std::string hex;
    for (int shift = 12; shift >= 0; shift -= 4) hex += digits[n >> shift & 15U];
    return n % 2 == 0 ? "X'" + hex + "0000'" : "X'00" + hex + "FF'";
}

std::string member_and_number(unsigned n) {
    static const char* const members[] = {"'red'", "'green'", "'blue'"};
    return std::string(members[n % 3]) + ", " + text(n / 3);
}

const std::vector<conversion_case> cases{
    {"int_narrowed", "k BIGINT NOT NULL PRIMARY KEY", {"k"}, text, "MODIFY k SMALLINT NOT NULL"},
    {"int_unsigned", "k INT NOT NULL PRIMARY KEY", {"k"}, text, "MODIFY k BIGINT UNSIGNED NOT NULL"},
    {"int_text", "k INT NOT NULL PRIMARY KEY", {"k"}, text, "MODIFY k VARCHAR(20) NOT NULL"},
    {"int_decimal", "k INT NOT NULL PRIMARY KEY", {"k"}, text, "MODIFY k DECIMAL(12,2) NOT NULL"},
    {"date_datetime", "k DATE NOT NULL PRIMARY KEY", {"k"}, date, "MODIFY k DATETIME(3) NOT NULL"},
    {"latin_utf8",
     "k VARCHAR(40) CHARACTER SET latin1 NOT NULL PRIMARY KEY",
     {"k"},
     latin,
     "MODIFY k VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NOT NULL"},
    {"stricter_to_bytes",
     "k VARCHAR(40) COLLATE utf8mb4_0900_ai_ci NOT NULL PRIMARY KEY",
     {"k"},
     accented,
     "MODIFY k VARCHAR(40) COLLATE utf8mb4_0900_bin NOT NULL",
     false,
     true},
    {"char_varchar", "k CHAR(20) NOT NULL PRIMARY KEY", {"k"}, quoted, "MODIFY k VARCHAR(30) NOT NULL"},
    {"binary_longer", "k BINARY(4) NOT NULL PRIMARY KEY", {"k"}, binary4, "MODIFY k BINARY(9) NOT NULL", false, true},
    {"enum_turned",
     "e ENUM('red','green','blue') NOT NULL, n INT NOT NULL, PRIMARY KEY (e, n)",
     {"e", "n"},
     member_and_number,
     "MODIFY e ENUM('blue','pink','red','green') NOT NULL"},
    {"set_turned",
     "e SET('red','green','blue') NOT NULL, n INT NOT NULL, PRIMARY KEY (e, n)",
     {"e", "n"},
     member_and_number,
     "MODIFY e SET('blue','red','green') NOT NULL"},
    {"fewer_columns",
     "a INT NOT NULL, b INT NOT NULL, PRIMARY KEY (a, b)",
     {"a", "b"},
     [](unsigned n) { return text(n % 7) + ", " + text(n); },
     "DROP PRIMARY KEY, ADD PRIMARY KEY (b)"},
    {"stored_key",
     "k INT NOT NULL, g INT AS (k * 2) STORED NOT NULL, UNIQUE KEY u (g)",
     {"k"},
     text,
     "ADD COLUMN extra INT NOT NULL DEFAULT 4"},
    {"nullable_key",
     "k INT, j INT, UNIQUE KEY u (k, j)",
     {"k", "j"},
     [](unsigned n) { return text(n % 50) + ", " + text(n / 50); },
     "ADD COLUMN extra INT NOT NULL DEFAULT 4",
     true},
};

const mysql_server& shared_server() {
    static const mysql_server server = mysql_server::start();
    return server;
}

void compare_with_mirror(sql_connection& root, const mirrored_table& what, const std::string& alter) {
    root.exec("ALTER TABLE " + what.mirror + " " + alter);
    comparison_options how;
    how.key = what.key;
    const comparison compared = compare_rows({root, what.table}, {root, what.mirror}, how);
    INFO(compared.text());
    CHECK(compared.equal());
    CHECK(compared.rows_left > 100);
}

migration::migration_spec spec_of(const std::string& table, const std::string& alter) {
    migration::migration_spec spec{{"test", table}, alter, {}};
    spec.options.postpone_cutover = true;
    spec.options.drop_old_table = true;
    spec.options.hold_interval = std::chrono::milliseconds(100);
    spec.options.page_flush_wait = std::chrono::milliseconds(0);
    spec.options.hold_budget = std::chrono::milliseconds(2'000);
    spec.options.chunk_rows_fixed = 50;
    spec.options.apply_batch_keys = 10;
    return spec;
}

}  // namespace

TEST_CASE("a table whose key the ALTER converts, under writes, equals what the server's own ALTER gives") {
    const auto& one = cases[GENERATE(range(std::size_t{0}, cases.size()))];
    INFO(one.name);
    const mysql_server& server = shared_server();
    sql_connection root = connect(server, "test");
    const std::string table = one.name;
    for (const std::string& name : {table, table + "_mirror"}) {
        root.exec("CREATE TABLE " + name + " (" + one.key_definition +
                  ", payload VARCHAR(100) NOT NULL, amount INT NOT NULL, KEY by_payload (payload))");
    }
    mirrored_table what{"`test`.`" + table + "`", "`test`.`" + table + "_mirror`", one.key, one.key_values, 1'500};
    fill_both(root, what, 0, what.keys, 2);
    auto engine = engine_on(server);
    mirrored_writes writes(server, what, 2, 7);
    auto spec = spec_of(table, one.alter);
    spec.options.allow_nullable_unique_key = one.nullable;
    const auto created = engine->create(spec);
    REQUIRE(created);
    const std::string id = (*created)->id;
    wait_for_ready(*engine, id);
    const auto before = writes.transactions();
    wait_until(*engine, id, [&](const auto& s) { return writes.transactions() > before + 200 || is_final(s.state); });
    if (one.writers_know_the_old_form_only) writes.stop();
    (void)engine->command(id, migration::operator_command::cut_over).has_error();
    const auto done = wait_for_end(*engine, id);
    INFO(error_text(*done));
    CHECK(done->state == migration_state::completed);
    CHECK(done->verification.rows_repaired == 0);  // nothing was lost on the way
    CHECK(done->deltas_applied > 0);
    if (!one.writers_know_the_old_form_only) writes.stop();
    compare_with_mirror(root, what, one.alter);
}

TEST_CASE("keys that change their letter case all the time survive a change of the collation, either way") {
    const auto to_ci = GENERATE(true, false);
    const std::string ci = "utf8mb4_0900_ai_ci";
    const std::string cs = "utf8mb4_0900_as_cs";
    const std::string table = to_ci ? "case_to_ci" : "case_to_cs";
    INFO(table);
    const mysql_server& server = shared_server();
    sql_connection root = connect(server, "test");
    mirrored_table what{"`test`.`" + table + "`", "`test`.`" + table + "_mirror`", {"k"}, {}};
    std::string values;
    for (unsigned n = 0; n < 400; ++n) values += (n == 0 ? "('key" : ", ('key") + text(n) + "', 1)";
    for (const auto& name : {what.table, what.mirror}) {
        root.exec("CREATE TABLE " + name + " (k VARCHAR(20) COLLATE " + (to_ci ? cs : ci) +
                  " NOT NULL PRIMARY KEY, v INT NOT NULL)");
        root.exec("INSERT INTO " + name + " VALUES " + values);
    }
    std::atomic<bool> stop{false};
    std::atomic<unsigned> turns{0};
    std::thread writer([&] {
        sql_connection connection(server.port(), app_user, app_password, "test");
        std::mt19937 random(5);
        while (!stop) {
            const std::string n = text(static_cast<unsigned>(random() % 400));
            const std::string to = (random() % 2 == 0 ? "'KEY" : "'key") + n + "'";
            const std::string where = " WHERE k COLLATE utf8mb4_0900_ai_ci = 'key" + n + "'";
            const auto way = random() % 3;
            connection.exec("START TRANSACTION");
            for (const auto& name : {what.table, what.mirror}) {
                if (way == 0) connection.exec("UPDATE " + name + " SET k = " + to + ", v = v + 1" + where);
                if (way != 0) connection.exec("DELETE FROM " + name + where);
                if (way == 2) connection.exec("INSERT INTO " + name + " VALUES (" + to + ", 7)");
            }
            connection.exec("COMMIT");
            if (way == 1) {
                for (const auto& name : {what.table, what.mirror}) {
                    connection.exec("INSERT INTO " + name + " VALUES (" + to + ", 9)");
                }
            }
            ++turns;
        }
    });
    const std::string alter = "MODIFY k VARCHAR(20) COLLATE " + (to_ci ? ci : cs) + " NOT NULL";
    auto engine = engine_on(server);
    const auto created = engine->create(spec_of(table, alter));
    REQUIRE(created);
    const std::string id = (*created)->id;
    const auto ready =
        wait_until(*engine, id, [](const auto& s) { return s.state == migration_state::ready || is_final(s.state); });
    const unsigned before = turns;
    wait_until(*engine, id, [&](const auto& s) { return turns > before + 300 || is_final(s.state); });
    (void)engine->command(id, migration::operator_command::cut_over).has_error();
    const auto done = wait_for_end(*engine, id);
    stop = true;
    writer.join();
    INFO(error_text(*ready) << error_text(*done));
    REQUIRE(done->state == migration_state::completed);
    CHECK(done->verification.rows_repaired == 0);
    compare_with_mirror(root, what, alter);
}

TEST_CASE("originals that become one key in the new table end the migration; the rows are named") {
    struct collision {
        const char* table;
        const char* definition;
        const char* rows;
        const char* alter;
        const char* words;
    };
    const auto one = GENERATE(values<collision>({
        {"one_key", "k VARCHAR(9) COLLATE utf8mb4_bin PRIMARY KEY", "('a'), ('b'), ('A')",
         "MODIFY k VARCHAR(9) COLLATE utf8mb4_0900_ai_ci", "`k` = 'a'"},
        {"one_part", "a INT, k INT, PRIMARY KEY (a, k)", "(1, 1), (2, 2), (2, 1)",
         "DROP PRIMARY KEY, ADD PRIMARY KEY (k)", "`k` = '1'"},
    }));
    INFO(one.table);
    sql_connection root = connect(shared_server(), "test");
    root.exec(std::string("CREATE TABLE ") + one.table + " (" + one.definition + ")");
    root.exec(std::string("INSERT INTO ") + one.table + " VALUES " + one.rows);
    auto engine = engine_on(shared_server());
    const auto created = engine->create(spec_of(one.table, one.alter));
    REQUIRE(created);
    const auto ended = wait_for_end(*engine, (*created)->id);
    INFO(error_text(*ended));
    REQUIRE(ended->state == migration_state::failed);
    CHECK(ended->error->code == "unique_key_conflict");
    CHECK(root.scalar(std::string("SELECT COUNT(*) FROM ") + one.table) == "3");
}

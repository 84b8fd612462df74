// Twenty migrations under concurrent writes, over the types and shapes that a key may have. Each is compared, row for
// row, with what the server itself makes of a mirror of the table by the same ALTER.

#include "tests/integration/migration/engine_rig.hpp"
#include "tests/integration/migration/mirrored_writes.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/row_compare.hpp"

using namespace sluice;
using namespace sluice::test;

namespace {

struct migration_case {
    const char* name;
    const char* key_definition;  ///< columns and the key
    std::vector<std::string> key;
    std::function<std::string(unsigned)> key_values;
    const char* alter;
    bool fixed_chunks = false;  ///< small chunks, so that many edges are crossed
    bool renames_key = false;   ///< writers lose their columns at the swap and end
};

std::string text(unsigned n) { return std::to_string(n); }

std::string padded(unsigned n, int digits) {
    std::string digits_text = std::to_string(n);
    return std::string(static_cast<std::size_t>(std::max(0, digits - static_cast<int>(digits_text.size()))), '0') +
           digits_text;
}

// Letter case and accents by n: in an _ai_ci collation several of them are one key.
std::string accented(unsigned n) {
    static const char* const words[] = {"straße", "Cafe", "café", "CAFÉ", "naive",
                                        "naïve",  "日本", "Øre",  "ore",  "emoji😀"};
    return "'" + std::string(words[n % 10]) + text(n / 20) + "'";
}

std::string latin(unsigned n) {
    static const char* const words[] = {"abc", "ABC", "äbc", "Äbc", "o''", "z "};
    return "'" + std::string(words[n % 5]) + text(n / 10) + (n % 3 == 0 ? " " : "") + "'";
}

// Zeros at the end, where the binary log strips them, and at the front.
std::string binary16(unsigned n) {
    const std::string hex = padded(n, 8);
    return n % 3 == 0   ? "X'" + hex + "000000000000000000000000'"
           : n % 3 == 1 ? "X'000000000000000000000000" + hex + "'"
                        : "X'" + hex + "FF00FF00FF00FF00FF00FF00'";
}

std::string datetime6(unsigned n) {
    return "'2024-03-" + padded(1 + n % 28, 2) + " " + padded(n % 24, 2) + ":00:00." + padded(n * 37 % 1'000'000, 6) +
           "'";
}

std::string decimal(unsigned n) { return (n % 2 == 0 ? "-" : "") + text(n / 100) + "." + padded(n % 100, 2); }

constexpr const char* add_column = "ADD COLUMN extra INT NOT NULL DEFAULT 5";
constexpr const char* widen = "MODIFY COLUMN payload VARCHAR(255) NOT NULL, ADD INDEX by_amount (amount)";
constexpr const char* rename_payload =
    "CHANGE COLUMN payload payload VARCHAR(120) NOT NULL FIRST, DROP INDEX by_payload";

const std::vector<migration_case> cases{
    {"INT", "k INT NOT NULL PRIMARY KEY", {"k"}, text, add_column},
    {"INT signed, both sides of zero",
     "k INT NOT NULL PRIMARY KEY",
     {"k"},
     [](unsigned n) { return text(n).insert(0, n % 2 == 0 ? "-" : ""); },
     widen,
     true},
    {"INT, unique key instead of a primary key", "k INT NOT NULL, UNIQUE KEY u (k)", {"k"}, text, add_column},
    {"BIGINT UNSIGNED above 2^63",
     "k BIGINT UNSIGNED NOT NULL PRIMARY KEY",
     {"k"},
     [](unsigned n) { return n % 2 == 0 ? text(n) : "1844674407370" + padded(n, 7); },
     add_column},
    {"BIGINT UNSIGNED, widened payload", "k BIGINT UNSIGNED NOT NULL PRIMARY KEY", {"k"}, text, widen, true},
    {"VARCHAR utf8mb4_0900_ai_ci",
     "k VARCHAR(40) COLLATE utf8mb4_0900_ai_ci NOT NULL PRIMARY KEY",
     {"k"},
     accented,
     add_column},
    {"VARCHAR utf8mb4_0900_ai_ci, small chunks",
     "k VARCHAR(40) COLLATE utf8mb4_0900_ai_ci NOT NULL PRIMARY KEY",
     {"k"},
     accented,
     widen,
     true},
    {"VARCHAR utf8mb4_bin", "k VARCHAR(40) COLLATE utf8mb4_bin NOT NULL PRIMARY KEY", {"k"}, accented, add_column},
    {"VARCHAR latin1", "k VARCHAR(40) CHARACTER SET latin1 NOT NULL PRIMARY KEY", {"k"}, latin, add_column},
    {"CHAR latin1, reordered",
     "k CHAR(20) CHARACTER SET latin1 NOT NULL PRIMARY KEY",
     {"k"},
     latin,
     rename_payload,
     true},
    {"BINARY(16)", "k BINARY(16) NOT NULL PRIMARY KEY", {"k"}, binary16, add_column},
    {"BINARY(16), small chunks", "k BINARY(16) NOT NULL PRIMARY KEY", {"k"}, binary16, widen, true},
    {"VARBINARY", "k VARBINARY(20) NOT NULL PRIMARY KEY", {"k"}, binary16, rename_payload},
    {"DATETIME(6)", "k DATETIME(6) NOT NULL PRIMARY KEY", {"k"}, datetime6, add_column},
    {"DATETIME(6), small chunks", "k DATETIME(6) NOT NULL PRIMARY KEY", {"k"}, datetime6, rename_payload, true},
    {"DECIMAL", "k DECIMAL(12,2) NOT NULL PRIMARY KEY", {"k"}, decimal, add_column},
    {"DECIMAL, widened",
     "k DECIMAL(12,2) NOT NULL PRIMARY KEY",
     {"k"},
     decimal,
     "MODIFY COLUMN k DECIMAL(20,2) NOT NULL",
     true},
    {"INT and VARCHAR",
     "a INT NOT NULL, b VARCHAR(40) COLLATE utf8mb4_0900_ai_ci NOT NULL, PRIMARY KEY (a, b)",
     {"a", "b"},
     [](unsigned n) { return text(n % 40) + ", " + accented(n); },
     widen,
     true},
    {"BIGINT UNSIGNED and DATETIME(6)",
     "a BIGINT UNSIGNED NOT NULL, b DATETIME(6) NOT NULL, PRIMARY KEY (a, b)",
     {"a", "b"},
     [](unsigned n) { return text(n % 70) + ", " + datetime6(n); },
     add_column,
     true},
    {"BINARY, DECIMAL and INT, key columns renamed",
     "a BINARY(16) NOT NULL, b DECIMAL(8,2) NOT NULL, c INT NOT NULL, PRIMARY KEY (a, b, c)",
     {"a", "b", "c"},
     [](unsigned n) { return binary16(n % 50) + ", " + decimal(n % 300) + ", " + text(n % 11); },
     "CHANGE COLUMN a first_part BINARY(16) NOT NULL, RENAME COLUMN c TO third_part, MODIFY COLUMN amount BIGINT NOT "
     "NULL",
     false,
     true},
};

const mysql_server& shared_server() {
    static const mysql_server server = mysql_server::start();
    return server;
}

migration::migration_spec spec_of(const migration_case& one, const std::string& table) {
    migration::migration_spec spec{{"test", table}, one.alter, {}};
    spec.options.postpone_cutover = true;
    spec.options.drop_old_table = true;
    spec.options.hold_interval = std::chrono::milliseconds(100);
    spec.options.page_flush_wait = std::chrono::milliseconds(0);
    spec.options.hold_budget = std::chrono::milliseconds(2'000);
    if (one.fixed_chunks) spec.options.chunk_rows_fixed = 25;
    return spec;
}

}  // namespace

TEST_CASE("a table migrated under concurrent writes equals what the server's own ALTER gives") {
    REQUIRE(cases.size() == 20);
    const auto number = GENERATE(range(std::size_t{0}, std::size_t{20}));
    const migration_case& one = cases[number];
    INFO(one.name);
    const mysql_server& server = shared_server();
    sql_connection root = connect(server, "test");
    const std::string table = "t" + text(static_cast<unsigned>(number));
    for (const std::string& name : {table, table + "_mirror"}) {
        root.exec("CREATE TABLE " + name + " (" + one.key_definition +
                  ", payload VARCHAR(100) NOT NULL, amount INT NOT NULL, KEY by_payload (payload))");
    }
    const mirrored_table what{"`test`.`" + table + "`", "`test`.`" + table + "_mirror`", one.key, one.key_values};
    fill_both(root, what, 0, what.keys, 2);

    auto engine = engine_on(server);
    mirrored_writes writes(server, what, 3, static_cast<unsigned>(number) + 1);
    const auto created = engine->create(spec_of(one, table));
    REQUIRE(created);
    const std::string id = (*created)->id;
    wait_for_ready(*engine, id);
    // Some more writes with nothing left to copy, then the cut-over in the midst of them.
    const auto before = writes.transactions();
    wait_until(*engine, id, [&](const auto&) { return writes.transactions() > before + 100; });
    REQUIRE(engine->command(id, migration::operator_command::cut_over));
    const auto done = wait_for_end(*engine, id);
    INFO(error_text(*done));
    CHECK(done->state == migration::migration_state::completed);
    CHECK(done->verification.rows_repaired == 0);  // nothing was lost on the way
    CHECK(done->leftovers.empty());
    CHECK(done->rows_copied > 0);
    CHECK(done->deltas_seen > 0);
    CHECK(done->deltas_applied > 0);
    const auto after = writes.transactions();
    if (!one.renames_key) {
        wait_until(*engine, id, [&](const auto&) { return writes.transactions() > after + 20; });
    }
    writes.stop();
    root.exec("ALTER TABLE " + what.mirror + " " + one.alter);
    auto names = root.query(
        "SELECT column_name FROM information_schema.key_column_usage WHERE table_schema = 'test' AND"
        " table_name = '" +
        table + "_mirror' ORDER BY ordinal_position");
    comparison_options how;
    for (const auto& name : names) how.key.push_back(*name[0]);
    const comparison compared = compare_rows({root, what.table}, {root, what.mirror}, how);
    INFO(compared.text());
    CHECK(compared.equal());
    CHECK(compared.rows_left > 100);
    CHECK(
        root.scalar(
            "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = 'test' AND table_name LIKE '\\_t%'") ==
        "0");
}

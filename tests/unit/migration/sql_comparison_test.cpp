#include "migration/sql/comparison_statements.hpp"
#include "tests/support/catch.hpp"

using namespace sluice;
using namespace sluice::migration;

namespace {

column_description column(std::string name, std::string data_type, std::string column_type, std::string charset = "",
                          std::uint64_t octets = 0) {
    column_description made;
    made.name = std::move(name);
    made.data_type = std::move(data_type);
    made.column_type = std::move(column_type);
    made.charset = std::move(charset);
    made.octet_length_max = octets;
    return made;
}

const column_description id = column("id", "int", "int");

struct tables {
    table_description original;
    table_description ghost;
    copy_columns columns;
};

/// One more column besides the key, before and after.
tables with(const column_description& before, const column_description& after) {
    tables made;
    made.original.name = {"s", "t"};
    made.ghost.name = {"s", "_t_gho"};
    made.original.columns = {id, before};
    made.ghost.columns = {id, after};
    made.original.keys = made.ghost.keys = {{"PRIMARY", true, true, "BTREE", {{"id", std::nullopt, false}}}};
    made.columns.original = made.original.name;
    made.columns.ghost = made.ghost.name;
    made.columns.original_index = made.columns.ghost_index = "PRIMARY";
    made.columns.columns = {{"id", "id"}, {before.name, after.name}};
    key_column key;
    key.original = key.ghost = "id";
    made.columns.key = {key};
    return made;
}

comparison_columns compared(const tables& of, bool json_sizes = true) {
    return comparison_columns_of(of.original, of.ghost, of.columns, json_sizes);
}

const auto text = column("v", "varchar", "varchar(20)", "utf8mb4", 80);

}  // namespace

TEST_CASE("sql_comparison: only what keeps every stored value is compared directly") {
    const auto varchar40 = column("v", "varchar", "varchar(40)", "utf8mb4", 160);
    const auto latin1 = column("v", "varchar", "varchar(40)", "latin1", 40);
    const auto fixed = column("v", "char", "char(20)", "utf8mb4", 80);
    const auto long_text = column("v", "text", "text", "utf8mb4", 65535);
    CHECK(keeps_stored_values(id, column("id", "bigint", "bigint unsigned")));
    CHECK(keeps_stored_values(text, text));
    CHECK(keeps_stored_values(text, varchar40));
    CHECK(keeps_stored_values(text, long_text));
    CHECK(keeps_stored_values(fixed, text));
    CHECK_FALSE(keeps_stored_values(varchar40, text));
    CHECK_FALSE(keeps_stored_values(text, fixed));
    CHECK_FALSE(keeps_stored_values(text, latin1));
    CHECK_FALSE(keeps_stored_values(text, column("v", "json", "json")));
    CHECK_FALSE(keeps_stored_values(id, text));
    CHECK_FALSE(keeps_stored_values(column("d", "decimal", "decimal(5,2)"), column("d", "decimal", "decimal(6,2)")));
    CHECK_FALSE(keeps_stored_values(column("e", "enum", "enum('a','b')", "utf8mb4"),
                                    column("e", "enum", "enum('b','a')", "utf8mb4")));
    CHECK(keeps_stored_values(column("b", "varbinary", "varbinary(4)", "", 4), column("b", "blob", "blob", "", 65535)));
    CHECK_FALSE(
        keeps_stored_values(column("b", "binary", "binary(4)", "", 4), column("b", "binary", "binary(5)", "", 5)));
}

TEST_CASE("sql_comparison: values are told apart by the way they are stored") {
    const auto condition = [](const std::string& data_type, bool json_sizes = true) {
        const auto of = column("v", data_type, data_type);
        const auto statement = differing_keys_statement(compared(with(of, of), json_sizes), {}, 5);
        const auto from =
            statement.find("`o`.`id` <=> `g`.`id` AND ") + std::string("`o`.`id` <=> `g`.`id` AND ").size();
        return statement.substr(from, statement.find(", 0) = 0") - from);
    };
    CHECK(condition("decimal") == "`o`.`v` <=> `g`.`v`");
    CHECK(condition("timestamp") == "`o`.`v` <=> `g`.`v`");
    CHECK(condition("double") ==
          "(`o`.`v` <=> `g`.`v` AND IFNULL(`o`.`v` <> 0 OR CONCAT(`o`.`v`) = CONCAT(`g`.`v`), 1))");
    CHECK(condition("set") == "CAST(`o`.`v` AS UNSIGNED) <=> CAST(`g`.`v` AS UNSIGNED)");
    CHECK(condition("longtext") == "CAST(`o`.`v` AS BINARY) <=> CAST(`g`.`v` AS BINARY)");
    CHECK(condition("point") == "CAST(`o`.`v` AS BINARY) <=> CAST(`g`.`v` AS BINARY)");
    CHECK(condition("json", false) ==
          "(`o`.`v` <=> `g`.`v` AND CAST(`o`.`v` AS BINARY) <=> CAST(`g`.`v` AS BINARY) AND "
          "JSON_TYPE(`o`.`v`) <=> JSON_TYPE(`g`.`v`))");
    CHECK(condition("json").ends_with(
        " AND JSON_STORAGE_SIZE(JSON_ARRAY(`o`.`v`)) <=> JSON_STORAGE_SIZE(JSON_ARRAY(`g`.`v`)))"));
}

TEST_CASE("sql_comparison: a range is counted on both sides and joined, in one statement without locks") {
    const auto what = compared(with(text, text));
    CHECK_FALSE(what.converts());
    REQUIRE(what.one_order);
    const row_selection range{{key_literals{"5"}, false, key_literals{"9"}}, {}, key_set_form::row_constructor};
    const std::string same =
        "IFNULL(`g`.`id` = `o`.`id` AND `o`.`id` <=> `g`.`id` AND CAST(`o`.`v` AS BINARY) <=> CAST(`g`.`v` AS BINARY), "
        "0)";
    CHECK(compare_rows_statement(what, range) ==
          "SELECT COUNT(*), COALESCE(SUM(" + same +
              " = 0), 0), (SELECT COUNT(*) FROM `s`.`t` AS `p` FORCE INDEX (`PRIMARY`) WHERE `p`.`id` > 5 AND "
              "`p`.`id` <= 9), (SELECT COUNT(*) FROM `s`.`_t_gho` AS `h` FORCE INDEX (`PRIMARY`) WHERE `h`.`id` > 5 "
              "AND `h`.`id` <= 9) FROM `s`.`t` AS `o` FORCE INDEX (`PRIMARY`) LEFT JOIN `s`.`_t_gho` AS `g` FORCE "
              "INDEX (`PRIMARY`) ON `g`.`id` = `o`.`id` WHERE `o`.`id` > 5 AND `o`.`id` <= 9");
    CHECK(surplus_keys_statement(what, {}, 7) ==
          "SELECT `g`.`id` FROM `s`.`_t_gho` AS `g` FORCE INDEX (`PRIMARY`) LEFT JOIN `s`.`t` AS `o` FORCE INDEX "
          "(`PRIMARY`) ON `o`.`id` = `g`.`id` WHERE 1 AND IFNULL(`o`.`id` = `g`.`id`, 0) = 0 LIMIT 7");
    const std::vector<std::string> some{"3", "4"};
    const row_selection keys{{}, some, key_set_form::row_constructor};
    CHECK(differing_keys_statement(what, keys, 7).ends_with(" WHERE `o`.`id` IN (3,4) AND " + same + " = 0 LIMIT 7"));
    CHECK(surplus_keys_statement(what, keys, 7).find(" WHERE `g`.`id` IN (3,4) AND ") != std::string::npos);
}

TEST_CASE("sql_comparison: converted columns go by way of the scratch table, by the copy's own expressions") {
    auto of = with(text, column("w", "json", "json"));
    of.columns.columns[1].pieces = {"NULLIF(", ", '')"};
    const auto what = compared(of);
    REQUIRE(what.converts());
    CHECK(create_scratch_statement(what) ==
          "CREATE TEMPORARY TABLE `s`.`_sluice_scratch` (`n` BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY) "
          "ENGINE=InnoDB SELECT `o`.`id` AS `k1`, `g`.`w` AS `c2` FROM `s`.`t` AS `o`, `s`.`_t_gho` AS `g` LIMIT 0");
    const row_selection range{{key_literals{"5"}, false, std::nullopt}, {}, key_set_form::row_constructor};
    CHECK(fill_scratch_statement(what, range) ==
          "INSERT INTO `s`.`_sluice_scratch` (`k1`, `c2`) SELECT `o`.`id`, NULLIF(`o`.`v`, '') FROM `s`.`t` AS `o` "
          "FORCE INDEX (`PRIMARY`) WHERE `o`.`id` > 5");
    CHECK(differing_conversions_statement(what, 9).starts_with(
        "SELECT `s`.`k1` FROM `s`.`_sluice_scratch` AS `s` LEFT JOIN `s`.`_t_gho` AS `g` FORCE INDEX (`PRIMARY`) ON "
        "`g`.`id` = `s`.`k1` WHERE IFNULL(`g`.`id` = `s`.`k1` AND (`s`.`c2` <=> `g`.`w` AND "));
    // The direct comparison has the key and nothing of the converted column.
    CHECK(differing_keys_statement(what, range, 9).find("`g`.`w`") == std::string::npos);
}

TEST_CASE("sql_comparison: a ghost with another order of keys is walked along a key of its own") {
    auto of = with(text, text);
    of.columns.key.push_back(of.columns.key[0]);
    of.columns.key[1].original = of.columns.key[1].ghost = "v";
    of.columns.key[1].type = key_type::text;
    of.columns.key[1].charset = "utf8mb4";
    of.ghost.keys = {{"by_v", true, true, "BTREE", {{"v", std::nullopt, false}, {"id", std::nullopt, false}}}};
    of.columns.ghost_index = "by_v";
    const auto what = compared(of);
    REQUIRE_FALSE(what.one_order);
    REQUIRE(what.ghost_walk.key.size() == 2);
    CHECK(what.ghost_walk.key[0].original == "v");
    CHECK(what.ghost_walk.original_index == "by_v");
    CHECK(compare_rows_statement(what, {}).find(", NULL FROM") != std::string::npos);
    const row_selection range{{key_literals{"_utf8mb4 0x41", "1"}, false, std::nullopt}, {}, key_set_form::or_of_ands};
    CHECK(surplus_keys_statement(what, range, 5).find("WHERE (`g`.`v` >= _utf8mb4 0x41 AND ") != std::string::npos);
    // Prefixes and columns that may be NULL give no order.
    of.ghost.keys[0].parts[0].prefix_length = 4;
    const auto read_whole = compared(of);
    CHECK(read_whole.ghost_walk.key.empty());
    CHECK(surplus_keys_statement(read_whole, {}, 5).find("FROM `s`.`_t_gho` AS `g` LEFT JOIN") != std::string::npos);
}

TEST_CASE("a YEAR is compared by its number: as a constant MariaDB would take it for a date") {
    CHECK(comparison_form_of("year") == comparison_form::ordinal);
    CHECK(comparison_form_of("date") == comparison_form::value);
}

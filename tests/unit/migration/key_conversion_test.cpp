// Keys whose values the ALTER converts: literals for the ghost, and conditions that find one row and no other.

#include "migration/sql/key_conversion.hpp"
#include "migration/sql/copy_columns.hpp"
#include "migration/sql/delta_statements.hpp"
#include "tests/unit/migration/model_tables.hpp"

using namespace sluice;
using namespace sluice::test;

namespace {

key_column key_between(const column_description& before, const column_description& after) {
    auto column = key_column_of(before, after);
    REQUIRE(column.has_value());
    return std::move(column).value();
}

copy_columns table_with(key_column column) {
    copy_columns what;
    what.original = {"s", "t"};
    what.ghost = {"s", "_t_gho"};
    what.original_index = what.ghost_index = "PRIMARY";
    what.columns = {{column.original, column.ghost}};
    what.key = {std::move(column)};
    return what;
}

}  // namespace

TEST_CASE("key conversion: an integer that becomes text is text for the ghost only") {
    const auto column = key_between(make_column("k", "int"), text_column("k", "varchar", 20));
    CHECK(column.change == key_change::number_text);
    CHECK(ghost_literal(column, "-7") == "'-7'");
    CHECK(as_ghost_key(column, "`o`.`k`") == "CONVERT(`o`.`k` USING utf8mb4) COLLATE utf8mb4_0900_ai_ci");
    const std::vector<std::string> keys{"1", "2"};
    const auto what = table_with(column);
    CHECK(delta_delete_statement(what, keys, key_set_form::row_constructor).ends_with("WHERE `k` IN ('1','2')"));
    CHECK(delta_insert_statement(what, keys, key_set_form::row_constructor, read_lock::none)
              .ends_with("WHERE `k` IN (1,2)"));
}

TEST_CASE("key conversion: a longer BINARY has its literals filled up") {
    const auto column = key_between(binary_column("k", "binary", 2), binary_column("k", "binary", 4));
    CHECK(ghost_literal(column, "_binary 0xAB00") == "_binary 0xAB000000");
    CHECK(ghost_literal(column, "_binary ''") == "_binary 0x00000000");
}

TEST_CASE("key conversion: members of ENUM and SET get their new numbers; what is gone equals nothing") {
    const auto listed =
        key_between(make_column("k", "enum", "enum('a','b','c')"), make_column("k", "enum", "enum('c','a')"));
    CHECK(listed.change == key_change::members);
    CHECK(ghost_literal(listed, "1") == "2");
    CHECK(ghost_literal(listed, "2") == "NULL");
    CHECK(ghost_literal(listed, "3") == "1");
    CHECK(ghost_literal(listed, "0") == "0");
    CHECK(as_ghost_key(listed, "k") == "CASE CAST(k AS UNSIGNED) WHEN 1 THEN 2 WHEN 3 THEN 1 WHEN 0 THEN 0 END");
    const auto set =
        key_between(make_column("k", "set", "set('a','b','c')"), make_column("k", "set", "set('c','b','a')"));
    CHECK(ghost_literal(set, "1") == "4");
    CHECK(ghost_literal(set, "6") == "3");
    CHECK(ghost_literal(set, "0") == "0");
    const auto appended = key_between(make_column("k", "enum", "enum('a')"), make_column("k", "enum", "enum('a','b')"));
    CHECK(appended.change == key_change::none);
}

TEST_CASE("key conversion: in another collation a row is deleted only if the original's calls it the key, too") {
    const auto column = key_between(text_column("k", "varchar", 20, "utf8mb4_bin"),
                                    text_column("k", "varchar", 20, "utf8mb4_0900_ai_ci"));
    const std::vector<std::string> keys{"_utf8mb4 0x61"};
    CHECK(delta_delete_statement(table_with(column), keys, key_set_form::row_constructor)
              .ends_with("WHERE `k` IN (_utf8mb4 0x61) AND CONVERT(`k` USING utf8mb4) COLLATE utf8mb4_bin IN "
                         "(_utf8mb4 0x61)"));
    const auto widened = key_between(text_column("k", "varchar", 20, "latin1_bin", "latin1"),
                                     text_column("k", "varchar", 20, "utf8mb4_bin"));
    CHECK(ghost_literal(widened, "_latin1 0xE4") == "CONVERT(_latin1 0xE4 USING utf8mb4) COLLATE utf8mb4_bin");
}

TEST_CASE(
    "a stored value that depends on the zone of whoever computes it is refused, unless the zone is the engine's") {
    auto day = generated(make_column("day", "date"));
    day.stored = true;
    day.generation_expression = "cast(`ts` as date)";
    const auto table = make_table({id, make_column("ts", "timestamp"), day}, {primary});
    const auto mapping = mapping_of(table, table);
    CHECK(copy_columns_of(table, table, mapping).has_value());
    conversion_settings zoned;
    zoned.time_zone = "+02:00";
    const auto refused = copy_columns_of(table, table, mapping, zoned);
    REQUIRE(refused.has_error());
    CHECK(refused.error().code == "unsupported_conversion");
}

#include <array>
#include <string>
#include <vector>

#include "migration/family/server_family.hpp"
#include "migration/sql/copy_statements.hpp"
#include "migration/sql/delta_statements.hpp"
#include "migration/sql/table_statements.hpp"
#include "tests/support/catch.hpp"

using namespace sluice;
using namespace sluice::migration;

namespace {

key_column column_of(std::string original, std::string ghost, key_type type) {
    key_column column;
    column.original = std::move(original);
    column.ghost = std::move(ghost);
    column.type = type;
    return column;
}

copy_columns single() {
    copy_columns what;
    what.original = {"s", "t"};
    what.ghost = {"s", "_t_gho"};
    what.columns = {{"id", "id"}, {"name", "title"}};
    what.original_index = "PRIMARY";
    what.ghost_index = "PRIMARY";
    what.key = {column_of("id", "id", key_type::integer)};
    return what;
}

copy_columns composite(key_type last = key_type::temporal) {
    auto what = single();
    what.columns = {{"a", "a"}, {"b", "b2"}, {"c", "c"}};
    what.original_index = "u`1";
    what.ghost_index = "u2";
    what.key = {column_of("a", "a", key_type::integer), column_of("b", "b2", key_type::text),
                column_of("c", "c", last)};
    return what;
}

}  // namespace

TEST_CASE("sql_statements: key columns are selected so that they come back exactly") {
    auto what = single();
    what.key = {column_of("i", "i", key_type::integer),  column_of("d", "d", key_type::decimal),
                column_of("t", "t", key_type::temporal), column_of("b", "b", key_type::bit),
                column_of("e", "e", key_type::ordinal),  column_of("s", "s", key_type::text),
                column_of("x", "x", key_type::binary),   column_of("y", "y", key_type::year)};
    CHECK(key_select_list(what) == "`i`, `d`, `t`, `b`+0, CAST(`e` AS UNSIGNED), HEX(`s`), HEX(`x`), `y`");
    CHECK(key_select_list(single(), "o") == "`o`.`id`");
}

TEST_CASE("sql_statements: ranges over a single key") {
    const auto what = single();
    CHECK(range_condition(what, {}) == "1");
    CHECK(range_condition(what, {key_literals{"5"}, false, std::nullopt}) == "`id` > 5");
    CHECK(range_condition(what, {key_literals{"5"}, true, std::nullopt}) == "`id` >= 5");
    CHECK(range_condition(what, {std::nullopt, false, key_literals{"9"}}) == "`id` <= 9");
    CHECK(range_condition(what, {key_literals{"5"}, false, key_literals{"9"}}, "o") ==
          "`o`.`id` > 5 AND `o`.`id` <= 9");
}

TEST_CASE("sql_statements: ranges over a composite key are spelled out") {
    const auto what = composite();
    CHECK(range_condition(what, {key_literals{"1", "_latin1 0x41", "3"}, false, std::nullopt}) ==
          "(`a` >= 1 AND ((`a` > 1) OR (`a` = 1 AND `b` > _latin1 0x41) OR "
          "(`a` = 1 AND `b` = _latin1 0x41 AND `c` > 3)))");
    CHECK(range_condition(what, {key_literals{"1", "_latin1 ''", "3"}, true, key_literals{"2", "_latin1 0x42", "4"}}) ==
          "(`a` >= 1 AND ((`a` > 1) OR (`a` = 1 AND `b` > _latin1 '') OR (`a` = 1 AND `b` = _latin1 '' AND `c` >= 3))) "
          "AND (`a` <= 2 AND ((`a` < 2) OR (`a` = 2 AND `b` < _latin1 0x42) OR "
          "(`a` = 2 AND `b` = _latin1 0x42 AND `c` <= 4)))");
    CHECK_THROWS_AS(range_condition(what, {key_literals{"1"}, false, std::nullopt}), assertion_failure);
}

TEST_CASE("sql_statements: copying a chunk") {
    const range_bounds bounds{key_literals{"5"}, false, key_literals{"9"}};
    CHECK(copy_chunk_statement(single(), bounds, read_lock::none, false) ==
          "INSERT INTO `s`.`_t_gho` (`id`, `title`) SELECT `o`.`id`, `o`.`name` FROM `s`.`t` AS `o` "
          "FORCE INDEX (`PRIMARY`) WHERE `o`.`id` > 5 AND `o`.`id` <= 9");
    CHECK(copy_chunk_statement(single(), bounds, read_lock::share, true) ==
          "INSERT INTO `s`.`_t_gho` (`id`, `title`) SELECT `o`.`id`, `o`.`name` FROM `s`.`t` AS `o` "
          "FORCE INDEX (`PRIMARY`) LEFT JOIN `s`.`_t_gho` AS `g` FORCE INDEX (`PRIMARY`) ON `g`.`id` = `o`.`id` "
          "WHERE `o`.`id` > 5 AND `o`.`id` <= 9 AND `g`.`id` IS NULL LOCK IN SHARE MODE");

    auto what = composite();
    what.key[1].ghost_charset = "utf8mb4";
    what.key[1].ghost_collation = "utf8mb4_bin";
    what.key[1].charset = "latin1";
    what.key[1].collation = "latin1_swedish_ci";
    what.key[1].change = key_change::text;
    const auto statement = copy_chunk_statement(what, {}, read_lock::none, true);
    CHECK(statement ==
          "INSERT INTO `s`.`_t_gho` (`a`, `b2`, `c`) SELECT `o`.`a`, `o`.`b`, `o`.`c` FROM `s`.`t` AS `o` "
          "FORCE INDEX (`u``1`) LEFT JOIN `s`.`_t_gho` AS `g` FORCE INDEX (`u2`) ON `g`.`a` = `o`.`a` AND "
          "`g`.`b2` = CONVERT(`o`.`b` USING utf8mb4) COLLATE utf8mb4_bin AND "
          "CONVERT(`g`.`b2` USING latin1) COLLATE latin1_swedish_ci = `o`.`b` AND `g`.`c` = `o`.`c` "
          "WHERE 1 AND `g`.`a` IS NULL");
}

TEST_CASE("sql_statements: bounds of chunks and of the table") {
    CHECK(chunk_bound_statement(single(), {key_literals{"5"}, true, key_literals{"9"}}, 1000) ==
          "SELECT `o`.`id` FROM `s`.`t` AS `o` FORCE INDEX (`PRIMARY`) WHERE `o`.`id` >= 5 AND `o`.`id` <= 9 "
          "ORDER BY `o`.`id` LIMIT 1 OFFSET 999");
    CHECK(chunk_bound_statement(single(), {}, 1, read_lock::share).ends_with(" LIMIT 1 OFFSET 0 LOCK IN SHARE MODE"));
    CHECK_THROWS_AS(chunk_bound_statement(single(), {}, 0), assertion_failure);
    CHECK(range_min_statement(composite()) ==
          "SELECT `o`.`a`, HEX(`o`.`b`), `o`.`c` FROM `s`.`t` AS `o` FORCE INDEX (`u``1`) "
          "ORDER BY `o`.`a`, `o`.`b`, `o`.`c` LIMIT 1");
    CHECK(range_max_statement(composite()) ==
          "SELECT `o`.`a`, HEX(`o`.`b`), `o`.`c` FROM `s`.`t` AS `o` FORCE INDEX (`u``1`) "
          "ORDER BY `o`.`a` DESC, `o`.`b` DESC, `o`.`c` DESC LIMIT 1");
}

TEST_CASE("sql_statements: a batch of changed keys") {
    const std::vector<std::string> ids{"1", "7"};
    for (const auto form : {key_set_form::row_constructor, key_set_form::or_of_ands}) {
        CHECK(delta_delete_statement(single(), ids, form) ==
              "DELETE FROM `s`.`_t_gho` USING `s`.`_t_gho` FORCE INDEX (`PRIMARY`) WHERE `id` IN (1,7)");
    }
    CHECK(delta_insert_statement(single(), ids, key_set_form::row_constructor, read_lock::share) ==
          "INSERT INTO `s`.`_t_gho` (`id`, `title`) SELECT `id`, `name` FROM `s`.`t` "
          "FORCE INDEX (`PRIMARY`) WHERE `id` IN (1,7) LOCK IN SHARE MODE");

    const std::vector<std::string> keys{"1,_latin1 0x41,2", "3,_latin1 '',4"};
    CHECK(delta_delete_statement(composite(), keys, key_set_form::row_constructor) ==
          "DELETE FROM `s`.`_t_gho` USING `s`.`_t_gho` FORCE INDEX (`u2`) WHERE (`a`, `b2`, `c`) IN "
          "((1,_latin1 0x41,2),(3,_latin1 '',4))");
    CHECK(delta_insert_statement(composite(), keys, key_set_form::or_of_ands, read_lock::none) ==
          "INSERT INTO `s`.`_t_gho` (`a`, `b2`, `c`) SELECT `a`, `b`, `c` FROM `s`.`t` "
          "FORCE INDEX (`u``1`) WHERE ((`a` = 1 AND `b` = _latin1 0x41 AND `c` = 2) OR "
          "(`a` = 3 AND `b` = _latin1 '' AND `c` = 4))");
    CHECK(key_lookup_statement(composite(), keys, key_set_form::row_constructor, true) ==
          "SELECT `a`, HEX(`b2`), `c` FROM `s`.`_t_gho` FORCE INDEX (`u2`) WHERE "
          "(`a`, `b2`, `c`) IN ((1,_latin1 0x41,2),(3,_latin1 '',4))");
    CHECK(key_lookup_statement(single(), ids, key_set_form::row_constructor, false) ==
          "SELECT `id` FROM `s`.`t` FORCE INDEX (`PRIMARY`) WHERE `id` IN (1,7)");
    CHECK_THROWS_AS(delta_delete_statement(single(), {}, key_set_form::row_constructor), assertion_failure);
    const std::vector<std::string> short_key{"1"};
    CHECK_THROWS_AS(delta_delete_statement(composite(), short_key, key_set_form::or_of_ands), assertion_failure);
}

TEST_CASE("sql_statements: row constructors are not used where servers compare their members otherwise") {
    const std::vector<std::string> keys{"1,_latin1 0x41,2", "3,_latin1 0x42,4"};
    const auto form = key_set_form::row_constructor;
    const auto spelled_out = [](const std::string& statement) { return statement.find(" OR (") != std::string::npos; };
    CHECK_FALSE(spelled_out(delta_delete_statement(composite(), keys, form)));
    // ENUM and SET against numbers: (a, e) IN ((1,2), (3,4)) finds nothing on any MySQL.
    CHECK(spelled_out(delta_delete_statement(composite(key_type::ordinal), keys, form)));
    CHECK(spelled_out(delta_insert_statement(composite(key_type::ordinal), keys, form, read_lock::none)));
    CHECK(spelled_out(key_lookup_statement(composite(key_type::ordinal), keys, form, false)));
    // Literals are in the original's character set; only the ghost's comparison converts.
    auto converted = composite();
    converted.key[1].charset = "latin1";
    converted.key[1].ghost_charset = "utf8mb4";
    converted.key[1].ghost_collation = "utf8mb4_bin";
    converted.key[1].collation = "latin1_swedish_ci";
    converted.key[1].change = key_change::text;
    CHECK(spelled_out(delta_delete_statement(converted, keys, form)));
    CHECK_FALSE(spelled_out(delta_insert_statement(converted, keys, form, read_lock::none)));
    // In another collation, too, every key needs a second look by the original's.
    converted.key[1].ghost_charset = "latin1";
    CHECK(spelled_out(delta_delete_statement(converted, keys, form)));
}

TEST_CASE("sql_statements: which form of key set suits a server") {
    CHECK(family_of(false, 50624)->key_form() == key_set_form::or_of_ands);
    CHECK(family_of(false, 50702)->key_form() == key_set_form::or_of_ands);
    CHECK(family_of(false, 50703)->key_form() == key_set_form::row_constructor);
    CHECK(family_of(false, 90700)->key_form() == key_set_form::row_constructor);
    CHECK(family_of(true, 101100)->key_form() == key_set_form::or_of_ands);
}

TEST_CASE("sql_statements: whole tables") {
    const table_name t{"s", "t"};
    const table_name ghost{"s", "_t_gho"};
    const table_name old_table{"s", "_t_del"};
    const table_name changelog{"s", "_t_ghc"};
    CHECK(create_ghost_statement(t, ghost) == "CREATE TABLE `s`.`_t_gho` LIKE `s`.`t`");
    CHECK(alter_ghost_statement(ghost, "ADD c INT") == "ALTER TABLE `s`.`_t_gho` ADD c INT");
    const table_swap swap{t, ghost, old_table};
    const table_swap other{{"s", "u"}, {"s", "_u_gho"}, {"s", "_u_del"}};
    CHECK(swap_clause(swap) == "`s`.`t` TO `s`.`_t_del`");
    CHECK(swap_statement(std::array{swap}) == "RENAME TABLE `s`.`t` TO `s`.`_t_del`, `s`.`_t_gho` TO `s`.`t`");
    CHECK(swap_statement(std::array{swap, other}) ==
          "RENAME TABLE `s`.`t` TO `s`.`_t_del`, `s`.`u` TO `s`.`_u_del`, `s`.`_t_gho` TO `s`.`t`, `s`.`_u_gho` TO "
          "`s`.`u`");
    const std::vector<table_name> both{t, ghost};
    CHECK(lock_tables_statement(both) == "LOCK TABLES `s`.`t` WRITE, `s`.`_t_gho` WRITE");
    CHECK(drop_table_statement(old_table) == "DROP TABLE IF EXISTS `s`.`_t_del`");
    CHECK(analyze_table_statement(t) == "ANALYZE TABLE `s`.`t`");
    CHECK(write_changelog_statement(changelog, state_hint, "it's") ==
          "INSERT INTO `s`.`_t_ghc` (id, hint, value) VALUES (2, 'state', 'it''s') "
          "ON DUPLICATE KEY UPDATE last_update = CURRENT_TIMESTAMP, value = 'it''s'");
    CHECK(read_changelog_statement(changelog, state_hint) == "SELECT value FROM `s`.`_t_ghc` WHERE hint = 'state'");
    const auto create = create_changelog_statement(changelog);
    CHECK(create.starts_with("CREATE TABLE `s`.`_t_ghc` ("));
    CHECK(create.find("UNIQUE KEY hint_uidx (hint)") != std::string::npos);
    CHECK_THROWS_AS(lock_tables_statement({}), assertion_failure);
    CHECK_THROWS_AS(rename_statement({}), assertion_failure);
}

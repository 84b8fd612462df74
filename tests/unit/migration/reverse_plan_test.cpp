// What can be turned back and what cannot: columns, values, keys, foreign keys, names.

#include "migration/reverse/reverse_plan.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/migration/model_tables.hpp"

#include <algorithm>

using namespace sluice;
using namespace sluice::test;
using Catch::Matchers::Contains;

namespace {

const conversion_settings utc = [] {
    conversion_settings settings;
    settings.no_zero_date = settings.no_zero_in_date = true;
    return settings;
}();

migration_plan names() {
    migration_plan plan;
    plan.original = {"test", "t"};
    plan.ghost = {"test", "_t_gho"};
    plan.old_table = {"test", "_t_del"};
    plan.swap_ghost = {"test", "t~gho"};
    plan.swap_old = {"test", "t~old"};
    plan.changelog = {"test", "_t_ghc"};
    return plan;
}

outcome<migration_plan> planned_back(const table_description& old, const table_description& now, std::string_view alter,
                                     const conversion_settings& settings = utc,
                                     const migration_plan& forward = names()) {
    const auto parsed = sql::parse_alter(alter);
    REQUIRE(parsed.has_value());
    return plan_way_back(forward, now, old, *parsed, settings);
}

migration_plan plan_of(const table_description& old, const table_description& now, std::string_view alter,
                       const conversion_settings& settings = utc) {
    auto plan = planned_back(old, now, alter, settings);
    INFO((plan.has_error() ? plan.error().code + ": " + plan.error().message : std::string()));
    REQUIRE(plan.has_value());
    return std::move(plan).value();
}

failure refusal_of(const table_description& old, const table_description& now, std::string_view alter,
                   const conversion_settings& settings = utc, const migration_plan& forward = names()) {
    auto plan = planned_back(old, now, alter, settings, forward);
    REQUIRE(plan.has_error());
    CHECK(plan.error().then == disposition::abort);
    return std::move(plan).error();
}

/// "ghost=original", of what travels; a constant in brackets.
std::string travels(const migration_plan& back) {
    std::string text;
    for (const auto& column : back.columns.columns) {
        if (!text.empty()) text += ' ';
        text += column.ghost + '=';
        text += column.original.empty() ? "[" + expression_of(column.pieces, "") + "]"
                                        : expression_of(column.pieces, column.original);
    }
    return text;
}

column_description with_default(column_description column, std::string value) {
    column.default_value = std::move(value);
    return column;
}

void add_trigger(relations_plan& plan, std::string name, std::string new_name) {
    planned_trigger& made = plan.made.emplace_back();
    made.name = std::move(name);
    made.new_name = std::move(new_name);
}

foreign_key key_named(std::string name) {
    return {.name = std::move(name),
            .child = {"test", "t"},
            .parent = {"test", "p"},
            .child_columns = {"v"},
            .parent_columns = {"id"},
            .rules = delete_no_action | update_no_action};
}

}  // namespace

TEST_CASE("on the way back the old table is what is filled, and the names outside and during an attempt go with it") {
    const migration_plan back = names_of_way_back(names());
    CHECK(back.backwards);
    CHECK(back.original.table == "t");
    CHECK(back.ghost.table == "_t_del");
    CHECK(back.old_table.table == "_t_gho");
    CHECK(back.swap_ghost.table == "t~old");
    CHECK(back.swap_old.table == "t~gho");
    CHECK(back.changelog.table == "_t_ghc");
}

TEST_CASE("the swap before a way back is known by its clause, under the names that it was made with") {
    migration_plan forward = names();
    forward.rename_under_lock = true;
    CHECK(clause_of_swap(forward) == "`test`.`t` TO `test`.`_t_del`");
    forward.rename_under_lock = false;
    CHECK(clause_of_swap(forward) == "`test`.`t` TO `test`.`t~old`");
}

TEST_CASE("the plan back describes the two tables by the names that they have after the swap") {
    migration_plan forward = names();
    forward.explicit_auto_increment = true;
    forward.relations.triggers.emplace_back().name = "tr";
    add_trigger(forward.relations, "tr", "tr_new");
    const auto back =
        planned_back(make_table({id, v}, {primary}), make_table({id, v, nullable(make_column("w", "int"))}, {primary}),
                     "ADD COLUMN w INT", utc, forward);
    REQUIRE(back);
    CHECK(back->original_description.name == table_name{"test", "t"});
    CHECK(back->original_description.columns.size() == 3);
    CHECK(back->ghost_description.name == table_name{"test", "_t_del"});
    CHECK(back->ghost_description.columns.size() == 2);
    CHECK(back->columns.original == table_name{"test", "t"});
    CHECK(back->columns.ghost == table_name{"test", "_t_del"});
    // What the new table has then counts, not what the old one had; and its counter is carried back.
    CHECK(back->relations.empty());
    CHECK_FALSE(back->explicit_auto_increment);
}

TEST_CASE("a column that was added stays behind, and one that was renamed gets its name back") {
    const auto old = make_table({id, v}, {primary});
    const auto now =
        make_table({id, nullable(make_column("w", "int")), nullable(make_column("extra", "int"))}, {primary});
    const auto back = plan_of(old, now, "RENAME COLUMN v TO w, ADD COLUMN extra INT");
    CHECK(travels(back) == "id=id v=w");
    CHECK(back.columns.kept.empty());
}

TEST_CASE("a dropped column that comes again under its name is another one, and two may change their names") {
    const auto old = make_table({id, nullable(make_column("a", "int")), nullable(make_column("b", "int"))}, {primary});
    auto back = plan_of(old, old, "DROP COLUMN a, ADD COLUMN a INT");
    CHECK(travels(back) == "id=id b=b");
    CHECK(back.columns.kept == std::vector<std::string>{"a"});
    back = plan_of(old, old, "RENAME COLUMN a TO b, RENAME COLUMN b TO a");
    CHECK(travels(back) == "id=id b=a a=b");
}

TEST_CASE("a dropped column keeps its values, and new rows get what ADD COLUMN … NOT NULL would give") {
    const auto number = make_column("number", "int");
    const auto with = with_default(make_column("with", "int"), "7");
    const auto text = text_column("words", "varchar", 20);
    const auto old = make_table({id, number, with, nullable(make_column("maybe", "int")), text, v}, {primary});
    const auto back = plan_of(old, make_table({id, v}, {primary}),
                              "DROP COLUMN number, DROP COLUMN `with`, DROP COLUMN maybe, DROP COLUMN words");
    // DEFAULT and NULL are the server's own to fill in.
    CHECK(travels(back) == "id=id v=v number=[0] words=['']");
    CHECK(back.columns.kept == std::vector<std::string>{"number", "with", "maybe", "words"});
}

TEST_CASE("a dropped column that begins as the time of day begins so in the clients' zone") {
    for (const char* value : {"CURRENT_TIMESTAMP", "CURRENT_TIMESTAMP(6)", "current_timestamp()", "now()"}) {
        INFO(value);
        const auto old = make_table({id, v, with_default(temporal_column("at", "datetime", 0), value)}, {primary});
        const auto now = make_table({id, v}, {primary});
        conversion_settings berlin = utc;
        berlin.time_zone = "Europe/Berlin";
        berlin.now = "2026-01-01 00:00:00.000000";  // of the ALTER: no time for a row that comes later
        CHECK(travels(plan_of(old, now, "DROP COLUMN at", berlin)) ==
              "id=id v=v at=[CONVERT_TZ(NOW(6), '+00:00', 'Europe/Berlin')]");
        CHECK(travels(plan_of(old, now, "DROP COLUMN at", utc)) == "id=id v=v");
    }
    // A moment is the same in every zone.
    conversion_settings berlin = utc;
    berlin.time_zone = "Europe/Berlin";
    const auto stamp = with_default(temporal_column("at", "timestamp", 0), "CURRENT_TIMESTAMP");
    CHECK(travels(plan_of(make_table({id, v, stamp}, {primary}), make_table({id, v}, {primary}), "DROP COLUMN at",
                          berlin)) == "id=id v=v");
}

TEST_CASE("a dropped date without a value for new rows is refused where the server takes no zero dates") {
    const auto now = make_table({id, v}, {primary});
    for (const char* type : {"date", "datetime"}) {
        INFO(type);
        const auto bare = temporal_column("d", type, 0);
        const auto refused = refusal_of(make_table({id, v, bare}, {primary}), now, "DROP COLUMN d");
        CHECK(refused.code == "way_back_value");
        CHECK_THAT(refused.message, Contains("column `d` is dropped, is NOT NULL and has no DEFAULT") &&
                                        Contains("Give it a DEFAULT first, or leave keep_old_table_in_sync off"));
        conversion_settings lenient;
        CHECK(travels(plan_of(make_table({id, v, bare}, {primary}), now, "DROP COLUMN d", lenient)) ==
              "id=id v=v d=[0]");
        CHECK(planned_back(make_table({id, v, nullable(bare)}, {primary}), now, "DROP COLUMN d"));
        CHECK(planned_back(make_table({id, v, with_default(bare, "2000-01-01")}, {primary}), now, "DROP COLUMN d"));
    }
}

TEST_CASE("a dropped column for which the server has no value at all is refused by name") {
    const auto place = make_column("place", "geometry");
    const auto refused =
        refusal_of(make_table({id, v, place}, {primary}), make_table({id, v}, {primary}), "DROP COLUMN place");
    CHECK(refused.code == "way_back_value");
    CHECK_THAT(refused.message, Catch::StartsWith("on the way back to the old definition (keep_old_table_in_sync): ") &&
                                    Contains("`place`"));
}

TEST_CASE("values that cannot be converted back exactly are refused, naming the column and both types") {
    const auto old = make_table({id, temporal_column("d", "date", 0)}, {primary});
    const auto now = make_table({id, make_column("d", "time")}, {primary});
    const auto refused = refusal_of(old, now, "MODIFY d TIME NOT NULL");
    CHECK(refused.code == "way_back_conversion");
    CHECK_THAT(refused.message, Catch::StartsWith("on the way back to the old definition (keep_old_table_in_sync): ") &&
                                    Contains("column `d` changes from time to date(0)"));
    // The other direction of the same pair is exact.
    CHECK(planned_back(now, old, "MODIFY d DATE NOT NULL"));
}

TEST_CASE("a retyped column is converted back as an ALTER would convert it") {
    const auto old = make_table({id, make_column("a", "int"), text_column("b", "varchar", 20)}, {primary});
    const auto now = make_table({id, make_column("a", "bigint"), make_column("b", "double")}, {primary});
    CHECK(travels(plan_of(old, now, "MODIFY a BIGINT NOT NULL, MODIFY b DOUBLE NOT NULL")) == "id=id a=a b=CONCAT(b)");
}

TEST_CASE("generated columns are filled by the old table itself") {
    const auto old = make_table({id, v, generated(make_column("twice", "int"))}, {primary});
    auto back = plan_of(old, old, "ADD INDEX (v)");
    CHECK(travels(back) == "id=id v=v");
    back = plan_of(old, make_table({id, v}, {primary}), "DROP COLUMN twice");
    CHECK(travels(back) == "id=id v=v");
    CHECK(back.columns.kept.empty());
    // One that was plain before gets the values that were generated.
    back =
        plan_of(make_table({id, v, make_column("twice", "int")}, {primary}), old, "MODIFY twice INT AS (v * 2) STORED");
    CHECK(travels(back) == "id=id v=v twice=twice");
}

TEST_CASE("the old table needs a key that finds the rows of the new one") {
    const auto w = make_column("w", "int");
    const auto old = make_table({id, w}, {primary});
    const auto refused =
        refusal_of(old, make_table({w}, {make_key("PRIMARY", {"w"})}), "DROP COLUMN id, ADD PRIMARY KEY (w)");
    CHECK(refused.code == "no_shared_unique_key");
    CHECK_THAT(refused.message,
               Catch::StartsWith("on the way back to the old definition (keep_old_table_in_sync): ") &&
                   Contains("no unique key identifies the rows of `test`.`t` before and after the ALTER") &&
                   Contains("key `PRIMARY`"));
    // A key of another order, or under another name, is chosen anew for this direction.
    const auto other = plan_of(make_table({id, w}, {make_key("by_id", {"id"})}), make_table({id, w}, {primary}),
                               "DROP INDEX by_id, ADD PRIMARY KEY (id)");
    CHECK(other.columns.original_index == "PRIMARY");
    CHECK(other.columns.ghost_index == "by_id");
}

TEST_CASE("where the ALTER drops columns, the key must say by its bytes which row is which") {
    const auto code = text_column("code", "varchar", 10, "utf8mb4_0900_ai_ci");
    const auto strict = text_column("code", "varchar", 10, "utf8mb4_bin");
    const auto key = make_key("PRIMARY", {"code"});
    const auto refused =
        refusal_of(make_table({code, v}, {key}), make_table({strict}, {key}), "DROP COLUMN v, MODIFY code VARCHAR(10)");
    CHECK(refused.code == "way_back_key");
    CHECK_THAT(refused.message, Contains("the ALTER drops columns, whose values the old table keeps by the key") &&
                                    Contains("key column `code` has another collation then: leave "
                                             "keep_old_table_in_sync off"));
    // Nothing is kept, so nothing can go to the wrong row.
    CHECK(planned_back(make_table({code, v}, {key}), make_table({strict, v}, {key}), "MODIFY code VARCHAR(10)"));
    CHECK(planned_back(make_table({code, v}, {key}), make_table({code}, {key}), "DROP COLUMN v"));
}

TEST_CASE("where the ALTER drops columns, the key may not be generated") {
    const auto made = [] {
        auto column = generated(make_column("k", "int"));
        column.stored = true;
        column.generation_expression = "`id` + 1";
        return column;
    }();
    const auto key = make_key("by_k", {"k"});
    const auto refused = refusal_of(make_table({id, v, made}, {key}), make_table({id, made}, {key}), "DROP COLUMN v");
    CHECK(refused.code == "way_back_key");
    CHECK_THAT(refused.message, Contains("key column `k` is generated: leave keep_old_table_in_sync off"));
    CHECK(planned_back(make_table({id, v, made}, {key}), make_table({id, v, made}, {key}), "ADD INDEX (v)"));
}

TEST_CASE("foreign keys that are left behind have no way back, those that are kept have one") {
    const auto table = make_table({id, v}, {primary});
    migration_plan forward = names();
    forward.relations.found.own = {key_named("a"), key_named("b")};
    forward.relations.kept = {key_named("a")};
    const auto refused = refusal_of(table, table, "DROP FOREIGN KEY b", utc, forward);
    CHECK(refused.code == "way_back_relations");
    CHECK_THAT(refused.message, Catch::StartsWith("`test`.`t` loses foreign keys (discard_foreign_keys, or the ALTER "
                                                  "drops them)") &&
                                    Contains("`b` (`test`.`t` to `test`.`p`)") && !Contains("`a` (") &&
                                    Contains("Keep them, or leave keep_old_table_in_sync off"));
    forward.relations.kept = forward.relations.found.own;
    forward.relations.found.referencing = {key_named("c")};  // pointed at the new table, or refused by itself
    CHECK(planned_back(table, table, "FORCE", utc, forward));
}

TEST_CASE("triggers keep the names that they had, whatever has become of them on the new table") {
    relations_plan forward;
    add_trigger(forward, "tr_t_t", "tr_t");
    add_trigger(forward, "other", "other_t");
    CHECK(former_trigger_names(forward) ==
          std::map<std::string, std::string>{{"tr_t", "tr_t_t"}, {"other_t", "other"}});
    CHECK(former_trigger_names({}).empty());
}

TEST_CASE("a revert is told, not timed: it waits for no window and no flag file, and keeps its budgets") {
    migration_options options;
    options.cutover_window = "Mon 00:00-00:01 UTC";
    options.postpone_flag_file = "/somewhere";
    const auto budget = options.hold_budget;
    revert_when_told(options);
    CHECK(options.cutover_window.empty());
    CHECK(options.postpone_flag_file.empty());
    CHECK(options.hold_budget == budget);
}

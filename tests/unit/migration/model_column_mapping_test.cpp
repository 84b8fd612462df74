// Which columns travel from the original to the ghost.

#include "tests/support/catch.hpp"
#include "tests/unit/migration/model_tables.hpp"

using namespace sluice::migration;
using namespace sluice::test;
using Catch::Matchers::Contains;

namespace {

/// "original>ghost" of each copied column.
std::string copied(const column_mapping& mapping) {
    std::string text;
    for (const auto& one : mapping.copied) {
        text += (text.empty() ? "" : " ") + std::to_string(one.original_ordinal) + ":" + one.original + ">" + one.ghost;
    }
    return text;
}

}  // namespace

TEST_CASE("columns travel by name, over renames, in any order") {
    const auto original = make_table({id, v, nullable(make_column("w", "int"))}, {primary});
    CHECK(copied(mapping_of(original, original)) == "0:id>id 1:v>v 2:w>w");

    const auto renamed =
        make_table({nullable(make_column("x", "int")), id, nullable(make_column("w", "int"))}, {primary});
    CHECK(copied(mapping_of(original, renamed, "CHANGE v x INT FIRST")) == "0:id>id 1:v>x 2:w>w");
    CHECK(copied(mapping_of(original, renamed, "RENAME COLUMN v TO x")) == "0:id>id 1:v>x 2:w>w");

    const auto swapped = make_table({id, nullable(make_column("w", "int")), v}, {primary});
    CHECK(copied(mapping_of(original, swapped, "RENAME COLUMN v TO w, RENAME COLUMN w TO v")) == "0:id>id 1:v>w 2:w>v");

    const auto other_case =
        make_table({make_column("ID", "int"), v, nullable(make_column("w", "int"))}, {make_key("PRIMARY", {"ID"})});
    const auto mapping = mapping_of(original, other_case, "CHANGE id ID INT NOT NULL");
    CHECK(copied(mapping) == "0:id>ID 1:v>v 2:w>w");
    CHECK(mapping.key.columns[0].ghost == "ID");
}

TEST_CASE("a dropped column is not copied, not even to a new one of its name") {
    const auto original = make_table({id, v}, {primary});
    CHECK(copied(mapping_of(original, make_table({id}, {primary}), "DROP COLUMN v")) == "0:id>id");
    CHECK(copied(mapping_of(original, original, "DROP COLUMN v, ADD COLUMN v INT")) == "0:id>id");
    CHECK(copied(mapping_of(original, make_table({id, v, nullable(make_column("w", "int"))}, {primary}),
                            "CHANGE v w INT, ADD COLUMN v INT")) == "0:id>id 1:v>w");
}

TEST_CASE("the ghost's generated columns are not inserted; what was generated may become a plain column") {
    const auto original = make_table({id, generated(make_column("g", "int")), v}, {primary});
    CHECK(copied(mapping_of(original, original)) == "0:id>id 2:v>v");
    CHECK(copied(mapping_of(original, make_table({id, make_column("g", "int"), v}, {primary}),
                            "MODIFY g INT NOT NULL")) == "0:id>id 1:g>g 2:v>v");
    CHECK(copied(mapping_of(original, make_table({id, generated(make_column("g", "int")), generated(v)}, {primary}),
                            "MODIFY v INT AS (id) STORED")) == "0:id>id");
}

TEST_CASE("a column that is gone although the ALTER does not drop it is noticed") {
    const auto refused = refusal(make_table({id, v}, {primary}), make_table({id}, {primary}));
    CHECK(refused.code == "column_lost");
    CHECK_THAT(refused.message, Contains("`v`"));
}

TEST_CASE("columns of the ghost that nothing fills are named, but for generated ones") {
    const auto original = make_table({id, make_column("old", "int")}, {primary});
    const auto mapping =
        mapping_of(original, make_table({id, make_column("c", "int"), generated(make_column("g", "int"))}, {primary}),
                   "DROP COLUMN old, ADD COLUMN c INT, ADD COLUMN g INT AS (id)");
    CHECK(mapping.added == std::vector<std::string>{"c"});
}

TEST_CASE("columns are found without regard to ASCII case") {
    const auto table = make_table({make_column("Näme", "int")}, {});
    CHECK(table.find_column("näme") != nullptr);
    CHECK(table.find_column("NÄME") == nullptr);
    CHECK(table.find_column("nam") == nullptr);
}

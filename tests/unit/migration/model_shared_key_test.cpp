// Which key identifies a row before and after the ALTER.

#include "migration/model/key_column_rules.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/migration/model_tables.hpp"

using namespace sluice::migration;
using namespace sluice::test;
using Catch::Matchers::Contains;

TEST_CASE("the key: PRIMARY or the first that stands in for it, then fewest columns, then fewest bytes, then name") {
    const auto a = make_column("a", "bigint");
    const auto b = make_column("b", "smallint");
    const auto c = make_column("c", "int");
    const auto d = make_column("d", "double");
    const auto chosen = [&](std::vector<key_description> keys) {
        const auto table = make_table({a, b, c, d}, std::move(keys));
        return mapping_of(table, table).key.original_index;
    };
    const auto of_double = make_key("of_double", {"d"});  // tells rows apart, and does not qualify
    CHECK(chosen({make_key("a_first", {"b"}), make_key("PRIMARY", {"a", "b", "c"})}) == "PRIMARY");
    CHECK(chosen({make_key("two", {"b", "c"}), make_key("one", {"a"})}) == "two");
    CHECK(chosen({make_key("a", {"a"}), make_key("z", {"b"})}) == "a");
    CHECK(chosen({of_double, make_key("two", {"b", "c"}), make_key("one", {"a"})}) == "one");
    CHECK(chosen({of_double, make_key("a", {"a"}), make_key("z", {"b"})}) == "z");
    CHECK(chosen({of_double, make_key("z", {"c"}), make_key("y", {"c"})}) == "y");
    CHECK(chosen({make_key("plain", {"b"}, false), make_key("unique", {"a"})}) == "unique");
}

TEST_CASE("the key by which the server tells rows apart") {
    const auto virtual_column = generated(make_column("g", "int"));
    auto stored = generated(make_column("s", "int"));
    stored.stored = true;
    auto prefix = make_key("prefix", {"id"});
    prefix.parts[0].prefix_length = 3;
    const auto identity = [&](std::vector<key_description> keys) {
        const auto table = make_table({id, v, make_column("w", "int"), virtual_column, stored}, std::move(keys));
        const auto* found = table.row_identity();
        return found == nullptr ? std::string() : found->name;
    };
    CHECK(identity({make_key("first", {"w", "id"}), make_key("second", {"id"})}) == "first");
    CHECK(identity({make_key("first", {"w"}), make_key("PRIMARY", {"id"})}) == "PRIMARY");
    CHECK(identity({make_key("nulls", {"w", "v"}), make_key("second", {"id"})}) == "second");
    CHECK(identity({prefix, make_key("second", {"id"})}) == "second");
    CHECK(identity({make_key("computed", {"g"}), make_key("second", {"id"})}) == "second");
    CHECK(identity({make_key("computed", {"s"}), make_key("second", {"id"})}) == "computed");
    CHECK(identity({make_key("expression", {""}), make_key("second", {"id"})}) == "second");
    CHECK(identity({make_key("plain", {"id"}, false), make_key("second", {"id"})}) == "second");
    CHECK(identity({make_key("nulls", {"v"}), make_key("plain", {"id"}, false)}).empty());
}

TEST_CASE("a key that does not qualify is passed over for one that does") {
    const auto table =
        make_table({make_column("d", "double"), v, id, text_column("s", "varchar", 20)},
                   {make_key("PRIMARY", {"d"}), make_key("nulls", {"v"}), make_key("good", {"s", "id"})});
    const auto mapping = mapping_of(table, table);
    CHECK(mapping.key.original_index == "good");
    REQUIRE(mapping.key.columns.size() == 2);
    CHECK(mapping.key.columns[0].original == "s");
    CHECK(mapping.key.columns[0].original_ordinal == 3);
    CHECK(mapping.key.columns[1].original_ordinal == 2);
    CHECK(mapping.key.original_columns[0].data_type == "varchar");
}

TEST_CASE("what makes a key unusable in the original") {
    struct expectation {
        key_description key;
        column_description column;
        const char* code;
        const char* word;
    };
    auto prefix = make_key("u", {"c"});
    prefix.parts[0].prefix_length = 10;
    auto expression = make_key("u", {""});
    auto invisible = make_key("u", {"c"});
    invisible.visible = false;
    const auto plain = make_key("u", {"c"});
    const std::vector<expectation> expected{
        {plain, nullable(make_column("c", "int")), "nullable_unique_key", "`c` may be NULL"},
        {plain, make_column("c", "float"), "unsupported_key_type", "float"},
        {plain, make_column("c", "double"), "unsupported_key_type", "double"},
        {plain, make_column("c", "json"), "unsupported_key_type", "json"},
        {plain, make_column("c", "text"), "unsupported_key_type", "text"},
        {plain, make_column("c", "geometry"), "unsupported_key_type", "geometry"},
        {plain, make_column("c", "vector"), "unsupported_key_type", "vector"},
        {prefix, text_column("c", "varchar", 50), "no_shared_unique_key", "prefix"},
        {expression, make_column("c", "int"), "no_shared_unique_key", "expression"},
        {invisible, make_column("c", "int"), "no_shared_unique_key", "invisible"},
        {make_key("u", {"c"}, false), make_column("c", "int"), "no_shared_unique_key", "neither a PRIMARY KEY"},
    };
    for (const auto& one : expected) {
        CAPTURE(one.code, one.word);
        const auto table = make_table({one.column}, {one.key});
        const auto refused = refusal(table, table);
        CHECK(refused.code == one.code);
        CHECK_THAT(refused.message, Contains(one.word) && Contains("`test`.`t`"));
        const auto early = require_usable_key(table);
        REQUIRE(early.has_error());
        CHECK(early.error().code == one.code);
    }
    CHECK(require_usable_key(keyed(id)).has_value());
}

TEST_CASE("the message tells what is wrong with every candidate, the code is that of the first") {
    const auto table =
        make_table({make_column("d", "double"), v}, {make_key("PRIMARY", {"d"}), make_key("nulls", {"v"})});
    const auto refused = refusal(table, table);
    CHECK(refused.code == "unsupported_key_type");
    CHECK_THAT(refused.message, Contains("`PRIMARY`: column `d`") && Contains("`nulls`: column `v` may be NULL"));
}

TEST_CASE("the ghost's unique key on the same columns") {
    const auto original = make_table({id, make_column("k", "int")}, {make_key("PRIMARY", {"id", "k"})});
    const auto ghost_with = [&](std::vector<key_description> keys) {
        return make_table({id, make_column("k", "int")}, std::move(keys));
    };
    CHECK(mapping_of(original, ghost_with({make_key("PRIMARY", {"k", "id"})})).key.ghost_index == "PRIMARY");
    CHECK(mapping_of(original, ghost_with({make_key("b", {"id", "k"}), make_key("a", {"k", "id"})})).key.ghost_index ==
          "a");
    CHECK(mapping_of(original, ghost_with({make_key("a", {"id", "k"}), make_key("PRIMARY", {"id", "k"})}))
              .key.ghost_index == "PRIMARY");

    auto invisible = make_key("u", {"id", "k"});
    invisible.visible = false;
    // As strict or stricter: no row of the original can be there twice, but two may collide.
    auto prefix = make_key("u", {"id", "k"});
    prefix.parts[1].prefix_length = 3;
    CHECK_FALSE(mapping_of(original, original).key.may_collide);
    for (const auto& key : {make_key("PRIMARY", {"id"}), make_key("u", {"k"}), prefix}) {
        const auto chosen = mapping_of(original, ghost_with({key})).key;
        CHECK(chosen.ghost_index == key.name);
        CHECK(chosen.columns.size() == 2);
        CHECK(chosen.may_collide);
        CHECK_FALSE(chosen.bytes_are_identity);
    }
    CHECK(mapping_of(original, ghost_with({make_key("PRIMARY", {"id"}), make_key("z", {"k", "id"})})).key.ghost_index ==
          "z");
    for (const auto& keys : std::vector<std::vector<key_description>>{
             {}, {make_key("u", {"id", "other"})}, {make_key("u", {"other", "id", "k"})}, {invisible}}) {
        CHECK(refusal(original, ghost_with(keys)).code == "no_shared_unique_key");
    }
    const auto dropped = refusal(original, make_table({id}, {make_key("PRIMARY", {"id"})}), "DROP COLUMN k");
    CHECK(dropped.code == "no_shared_unique_key");
    CHECK_THAT(dropped.message, Contains("`k`"));
}

TEST_CASE("renamed key columns are found under their new names") {
    const auto mapping = mapping_of(keyed(id), keyed(make_column("key", "bigint")), "CHANGE id `key` BIGINT NOT NULL");
    REQUIRE(mapping.key.columns.size() == 1);
    CHECK(mapping.key.columns[0].original == "id");
    CHECK(mapping.key.columns[0].ghost == "key");
    CHECK(mapping.key.original_columns[0].data_type == "int");
}

TEST_CASE("key columns must keep their values, or convert them one by one") {
    struct change {
        column_description before;
        column_description after;
        bool kept;
    };
    const auto enum_of = [](const std::string& members) { return make_column("c", "enum", "enum(" + members + ")"); };
    const std::vector<change> changes{
        {make_column("c", "int"), make_column("c", "int", "int(11)"), true},
        {make_column("c", "tinyint"), make_column("c", "bigint"), true},
        {make_column("c", "mediumint"), make_column("c", "int"), true},
        {make_column("c", "int", "int unsigned"), make_column("c", "bigint", "bigint unsigned"), true},
        {make_column("c", "bigint"), make_column("c", "int"), true},
        {make_column("c", "int"), make_column("c", "mediumint"), true},
        {make_column("c", "int", "int unsigned"), make_column("c", "bigint"), true},
        {make_column("c", "int"), make_column("c", "int", "int unsigned"), true},
        {make_column("c", "int"), text_column("c", "varchar", 20), true},
        {make_column("c", "int"), decimal_column("c", 20, 0), true},
        {text_column("c", "varchar", 20), text_column("c", "varchar", 21), true},
        {text_column("c", "varchar", 20), text_column("c", "varchar", 19), false},
        {text_column("c", "char", 20), text_column("c", "char", 30), true},
        {text_column("c", "char", 20), text_column("c", "varchar", 20), true},
        {text_column("c", "varchar", 20), text_column("c", "varchar", 20, "utf8mb4_bin"), true},
        {text_column("c", "varchar", 20, "utf8mb3_bin", "utf8mb3"), text_column("c", "varchar", 20, "utf8mb4_bin"),
         true},
        {binary_column("c", "varbinary", 16), binary_column("c", "varbinary", 32), true},
        {binary_column("c", "binary", 16), binary_column("c", "binary", 16), true},
        {binary_column("c", "binary", 16), binary_column("c", "binary", 17), true},
        {binary_column("c", "binary", 16), binary_column("c", "varbinary", 16), true},
        {decimal_column("c", 10, 2), decimal_column("c", 12, 2), true},
        {decimal_column("c", 10, 2), decimal_column("c", 12, 4), true},
        {decimal_column("c", 10, 2), decimal_column("c", 9, 2), true},
        {temporal_column("c", "datetime", 3), temporal_column("c", "datetime", 6), true},
        {temporal_column("c", "datetime", 6), temporal_column("c", "datetime", 3), false},
        {temporal_column("c", "timestamp", 0), temporal_column("c", "timestamp", 6), true},
        {temporal_column("c", "time", 0), temporal_column("c", "time", 0), true},
        {make_column("c", "date"), temporal_column("c", "datetime", 0), true},
        {make_column("c", "year"), make_column("c", "year"), true},
        {make_column("c", "bit", "bit(4)"), make_column("c", "bit", "bit(4)"), true},
        {enum_of("'a','b'"), enum_of("'c','d'"), false},
        {enum_of("'a','b'"), text_column("c", "varchar", 20), false},
        {text_column("c", "varchar", 20, "utf8mb4_bin"), text_column("c", "varchar", 19, "utf8mb4_bin"), true},
        {text_column("c", "varchar", 20, "utf8mb4_bin"), text_column("c", "char", 20, "utf8mb4_bin"), true},
        {text_column("c", "varchar", 20), text_column("c", "char", 20), false},  // NO PAD: spaces count, and go
        {make_column("c", "int", "int(5) unsigned zerofill"), text_column("c", "varchar", 20), false},
        {text_column("c", "varchar", 20), make_column("c", "int"), false},
        {decimal_column("c", 10, 2), decimal_column("c", 10, 1), false},
        {decimal_column("c", 10, 0), make_column("c", "bigint"), true},
        {decimal_column("c", 10, 2), make_column("c", "bigint"), false},
        {temporal_column("c", "datetime", 0), temporal_column("c", "timestamp", 0), false},
        {binary_column("c", "varbinary", 16), binary_column("c", "binary", 16), false},
        {enum_of("'a','b'"), enum_of("'a','b'"), true},
        {enum_of("'a','b'"), enum_of("'a','b','c'"), true},
        {enum_of("'a','b'"), enum_of("'b','a'"), true},
        {enum_of("'a','b'"), enum_of("'a','bc'"), true},
        {enum_of("'a','b'"), enum_of("'a','b'',''c'"), true},
        {enum_of("'a','b'"), enum_of("'a'"), true},
    };
    for (const auto& one : changes) {
        CAPTURE(one.before.column_type, one.after.column_type, one.before.collation, one.after.collation);
        const auto mapping = mapped(keyed(one.before), keyed(one.after), "MODIFY c INT");
        CHECK(mapping.has_value() == one.kept);
        if (mapping.has_error()) {
            const bool becomes_timestamp = one.before.data_type == "datetime" && one.after.data_type == "timestamp";
            CHECK(mapping.error().code == (becomes_timestamp ? "key_becomes_timestamp" : "key_values_change"));
            CHECK_THAT(mapping.error().message, Contains("`c` changes"));
        }
    }
}

TEST_CASE("which keys the engine can order as the server does, and where bytes tell keys apart") {
    struct expectation {
        column_description column;
        bool exactly_ordered;
        bool bytes_are_identity;
    };
    const std::vector<expectation> expected{
        {make_column("c", "tinyint"), true, true},
        {make_column("c", "bigint", "bigint unsigned"), true, true},
        {make_column("c", "date"), true, true},
        {temporal_column("c", "datetime", 6), true, true},
        {temporal_column("c", "timestamp", 0), true, true},
        {temporal_column("c", "time", 3), false, true},
        {make_column("c", "year"), false, true},
        {decimal_column("c", 10, 2), false, true},
        {make_column("c", "bit", "bit(4)"), false, true},
        {make_column("c", "enum", "enum('b','a')"), false, true},
        {make_column("c", "set", "set('b','a')"), false, true},
        {binary_column("c", "binary", 16), true, true},
        {binary_column("c", "varbinary", 16), true, true},
        {text_column("c", "varchar", 20), false, false},
        {text_column("c", "char", 20, "latin1_swedish_ci", "latin1"), false, false},
        // PAD SPACE: 'a' and 'a ' are one key although the collation is "binary".
        {text_column("c", "varchar", 20, "utf8mb4_bin"), false, false},
        {text_column("c", "varchar", 20, "utf8mb4_0900_bin"), false, false},
    };
    for (const auto& one : expected) {
        CAPTURE(one.column.column_type, one.column.collation);
        const auto table = keyed(one.column);
        const auto mapping = mapping_of(table, table);
        CHECK(mapping.key.exactly_ordered == one.exactly_ordered);
        CHECK(mapping.key.bytes_are_identity == one.bytes_are_identity);
    }

    auto descending = keyed(id);
    descending.keys[0].parts[0].descending = true;
    CHECK_FALSE(mapping_of(descending, descending).key.exactly_ordered);
    CHECK(mapping_of(keyed(id), descending).key.exactly_ordered);  // the copy walks along the original's key

    const auto mixed = make_table({id, text_column("s", "varchar", 5)}, {make_key("PRIMARY", {"id", "s"})});
    CHECK_FALSE(mapping_of(mixed, mixed).key.exactly_ordered);
    CHECK_FALSE(mapping_of(mixed, mixed).key.bytes_are_identity);
}

TEST_CASE("the rule of choice: NOT NULL, then values that stay as they are, then PRIMARY, then fewer columns") {
    const auto text = text_column("name", "varchar", 20);
    const auto other = text_column("name", "varchar", 20, "utf8mb4_bin");
    const auto original = make_table({text, make_column("a", "int"), v},
                                     {make_key("PRIMARY", {"name"}), make_key("by_a", {"a"}), make_key("by_v", {"v"})});
    auto ghost = original;
    const mapping_options consent{.allow_nullable_unique_key = true};
    const auto parsed = sluice::sql::parse_alter("FORCE");
    REQUIRE(parsed.has_value());
    const auto chosen = [&](const table_description& after) {
        const auto mapping = map_columns(original, after, *parsed, consent);
        REQUIRE(mapping.has_value());
        return mapping->key;
    };
    CHECK(chosen(ghost).original_index == "PRIMARY");
    ghost.columns[0] = other;
    CHECK(chosen(ghost).original_index == "by_a");
    CHECK_FALSE(chosen(ghost).may_collide);
    ghost.keys.erase(ghost.keys.begin() + 1);
    CHECK(chosen(ghost).original_index == "PRIMARY");
    CHECK(chosen(ghost).may_collide);
    ghost.keys.erase(ghost.keys.begin());
    CHECK(chosen(ghost).original_index == "by_v");
    CHECK(chosen(ghost).nullable);
    CHECK(refusal(original, ghost).code == "no_shared_unique_key");
    CHECK(describe(chosen(ghost)) == "by_v (v)");
    ghost.keys[0].name = "renamed";
    CHECK(describe(chosen(ghost)) == "by_v (v), in the new table renamed");
}

TEST_CASE("a STORED generated column may identify rows if both tables compute it alike") {
    auto stored = generated(make_column("g", "int"));
    stored.stored = true;
    stored.generation_expression = "(`a` + 1)";
    const auto original = make_table({make_column("a", "int"), stored}, {make_key("PRIMARY", {"g"})});
    const auto mapping = mapping_of(original, original);
    CHECK(mapping.key.original_index == "PRIMARY");
    REQUIRE(mapping.copied.size() == 1);
    CHECK(mapping.copied[0].original == "a");

    auto other_rule = original;
    other_rule.columns[1].generation_expression = "(`a` + 2)";
    CHECK(refusal(original, other_rule).code == "no_shared_unique_key");
    auto other_source = original;
    other_source.columns[0] = make_column("a", "bigint");
    CHECK(refusal(original, other_source).code == "no_shared_unique_key");
    auto plain = original;
    plain.columns[1] = make_column("g", "int");
    CHECK(mapping_of(original, plain).copied.size() == 2);
}

TEST_CASE("members of ENUM and SET are read out of their type") {
    CHECK(members_of("enum('a','it''s','','x,y')") == std::vector<std::string>{"a", "it's", "", "x,y"});
    CHECK(members_of("set('a')") == std::vector<std::string>{"a"});
    CHECK(members_of("varchar(20)").empty());
}

TEST_CASE("a key that the new table does not keep unique serves if an index begins with its columns") {
    const auto a = make_column("a", "int");
    const auto before = make_table({id, a, v}, {primary, make_key("by_a", {"a"}, false)});
    const auto key_of = [&](std::vector<key_description> keys) {
        return map_columns(before, make_table({id, a, v}, std::move(keys)),
                           *sluice::sql::parse_alter("DROP PRIMARY KEY"));
    };
    const auto wider = key_of({make_key("PRIMARY", {"id", "a"})});
    REQUIRE(wider);
    CHECK_FALSE(wider->key.enforced);
    CHECK(wider->key.ghost_index == "PRIMARY");
    CHECK(wider->key.exactly_ordered);
    CHECK(wider->key.bytes_are_identity);
    CHECK_FALSE(wider->key.may_collide);
    CHECK(describe(wider->key) == "PRIMARY (id), not unique in the new table, index PRIMARY");

    const auto plain = key_of({make_key("PRIMARY", {"a", "id"}), make_key("found", {"id", "v"}, false)});
    REQUIRE(plain);
    CHECK(plain->key.ghost_index == "found");
    // One that is as strict as the key comes first, and a unique index before others.
    const auto strict = key_of({make_key("PRIMARY", {"id", "a"}), make_key("u", {"id"})});
    REQUIRE(strict);
    CHECK(strict->key.enforced);
    CHECK(strict->key.ghost_index == "u");
    const auto unique = key_of({make_key("b", {"id"}, false), make_key("u", {"id", "a"})});
    REQUIRE(unique);
    CHECK(unique->key.ghost_index == "u");

    auto prefix = make_key("p", {"id", "a"}, false);
    prefix.parts[0].prefix_length = 3;
    auto words = make_key("w", {"id"}, false);
    words.index_type = "FULLTEXT";
    auto unseen = make_key("i", {"id"}, false);
    unseen.visible = false;
    const auto hash = [] {
        auto made = make_key("h", {"id"});
        made.index_type = "HASH";
        return made;
    }();
    for (const auto& index : {make_key("PRIMARY", {"a", "id"}), prefix, words, unseen, hash}) {
        INFO(index.name);
        const auto refused = key_of({index});
        REQUIRE(refused.has_error());
        CHECK(refused.error().code == "no_shared_unique_key");
    }
}

TEST_CASE("a key that stays unique goes before one that does not, and one that stays as it is before both") {
    const auto a = make_column("a", "int");
    const auto b = make_column("b", "int");
    const auto before = make_table({id, a, b}, {primary, make_key("u", {"a"})});
    const auto alter = *sluice::sql::parse_alter("DROP PRIMARY KEY");
    const auto loose = make_key("PRIMARY", {"id", "b"});
    const auto mapping = map_columns(before, make_table({id, a, b}, {loose, make_key("u", {"a"})}), alter);
    REQUIRE(mapping);
    CHECK(mapping->key.original_index == "u");
    const auto number_text = make_table({id, text_column("a", "varchar", 20), b}, {loose, make_key("u", {"a"})});
    const auto converted = map_columns(before, number_text, alter);
    REQUIRE(converted);
    CHECK(converted->key.original_index == "PRIMARY");
    CHECK_FALSE(converted->key.enforced);
    // Converted values are not looked for in an index that is not unique.
    const auto neither =
        map_columns(make_table({id, b}, {primary}), make_table({text_column("id", "varchar", 20), b}, {loose}), alter);
    REQUIRE(neither.has_error());
}

TEST_CASE("a hash is no key, and a VIRTUAL column is one where the binary log holds it") {
    auto hash = make_key("u", {"id"});
    hash.index_type = "HASH";
    const auto refused = require_usable_key(make_table({id, v}, {hash}));
    REQUIRE(refused.has_error());
    CHECK(refused.error().message.find("is a hash") != std::string::npos);
    auto computed = generated(make_column("g", "int"));
    CHECK(require_usable_key(make_table({id, computed}, {make_key("u", {"g"})})).has_value());
    computed.logged = false;
    const auto unknown = require_usable_key(make_table({id, computed}, {make_key("u", {"g"})}));
    REQUIRE(unknown.has_error());
    CHECK(unknown.error().message.find("binary log") != std::string::npos);
}

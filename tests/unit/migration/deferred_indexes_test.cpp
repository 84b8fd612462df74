#include "migration/engine/deferred_indexes.hpp"
#include "migration/model/fulltext_id.hpp"
#include "tests/unit/migration/model_tables.hpp"

using namespace sluice::test;

namespace {

std::vector<std::string> deferred_names(const std::vector<std::pair<std::string, std::string>>& in_order,
                                        const std::string& needed = "PRIMARY") {
    table_description ghost = make_table({id, v}, {primary});
    ghost.create_statement = "CREATE TABLE `t` (\n  `id` int NOT NULL,\n  `v` int,\n  PRIMARY KEY (`id`)";
    for (const auto& [name, type] : in_order) {
        auto key = make_key(name, {"v"}, false);
        key.index_type = type;
        // information_schema has them by their names.
        ghost.keys.insert(ghost.keys.begin(), key);
        ghost.create_statement += ",\n  " + (type == "BTREE" ? std::string() : type + " ") + "KEY `" + name + "` (`v`)";
    }
    ghost.create_statement += "\n) ENGINE=InnoDB";
    std::vector<std::string> names;
    for (const auto& one : deferrable_indexes(ghost, needed)) names.push_back(one.name + ": " + one.definition);
    return names;
}

}  // namespace

TEST_CASE("deferred indexes come back in the order of the definition") {
    CHECK(deferred_names({{"z", "BTREE"}, {"a", "BTREE"}}) ==
          std::vector<std::string>{"z: KEY `z` (`v`)", "a: KEY `a` (`v`)"});
}

TEST_CASE("an index in front of one that stays is not deferred, or it would come to stand behind it") {
    CHECK(deferred_names({{"z", "BTREE"}, {"s", "SPATIAL"}, {"a", "BTREE"}}) ==
          std::vector<std::string>{"a: KEY `a` (`v`)"});
    CHECK(deferred_names({{"z", "BTREE"}, {"f", "FULLTEXT"}}) == std::vector<std::string>{"z: KEY `z` (`v`)"});
}

TEST_CASE("the index by which rows are found is not deferred") {
    CHECK(deferred_names({{"z", "BTREE"}, {"key", "BTREE"}, {"a", "BTREE"}}, "key") ==
          std::vector<std::string>{"a: KEY `a` (`v`)"});
}

TEST_CASE("a column FTS_DOC_ID is refused beside a FULLTEXT index only") {
    auto words = make_key("words", {"c"}, false);
    words.index_type = "FULLTEXT";
    const auto number = make_column("FTS_DOC_ID", "bigint", "bigint unsigned");
    CHECK(check_fulltext_id(make_table({id, v}, {primary, words})).has_value());
    CHECK(check_fulltext_id(make_table({number, v}, {primary})).has_value());
    const auto refused = check_fulltext_id(make_table({number, v}, {primary, words}));
    REQUIRE(refused.has_error());
    CHECK(refused.error().code == "unsupported_fulltext_id");
    CHECK(refused.error().message.find("FTS_DOC_ID") != std::string::npos);
}

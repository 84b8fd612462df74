#pragma once

// Descriptions of tables in a few words, and their mapping.

#include "migration/model/column_mapping.hpp"
#include "tests/support/catch.hpp"

#include <string>
#include <utility>
#include <vector>

namespace sluice::test {

using namespace migration;

inline column_description make_column(std::string name, std::string data_type, std::string column_type = "") {
    column_description column;
    column.name = std::move(name);
    column.data_type = std::move(data_type);
    column.column_type = column_type.empty() ? column.data_type : std::move(column_type);
    column.is_unsigned = column.column_type.find("unsigned") != std::string::npos;
    return column;
}

inline column_description text_column(std::string name, std::string type, std::uint64_t length,
                                      std::string collation = "utf8mb4_0900_ai_ci", std::string charset = "utf8mb4") {
    auto column = make_column(std::move(name), type, type + "(" + std::to_string(length) + ")");
    column.char_length_max = length;
    column.octet_length_max = length * 4;
    column.charset = std::move(charset);
    column.collation = std::move(collation);
    return column;
}

inline column_description binary_column(std::string name, std::string type, std::uint64_t length) {
    auto column = make_column(std::move(name), type, type + "(" + std::to_string(length) + ")");
    column.char_length_max = column.octet_length_max = length;
    return column;
}

inline column_description decimal_column(std::string name, unsigned precision, unsigned scale) {
    auto column = make_column(std::move(name), "decimal",
                              "decimal(" + std::to_string(precision) + "," + std::to_string(scale) + ")");
    column.numeric_precision = precision;
    column.numeric_scale = scale;
    return column;
}

inline column_description temporal_column(std::string name, std::string type, unsigned digits) {
    auto column = make_column(std::move(name), type, type + "(" + std::to_string(digits) + ")");
    column.fraction_digits = digits;
    return column;
}

inline column_description nullable(column_description column) {
    column.nullable = true;
    return column;
}

inline column_description generated(column_description column) {
    column.generated = true;
    return column;
}

inline key_description make_key(std::string name, std::vector<std::string> columns, bool unique = true) {
    key_description key;
    key.name = std::move(name);
    key.unique = unique;
    key.index_type = "BTREE";
    for (auto& column : columns) key.parts.push_back({std::move(column), std::nullopt, false});
    return key;
}

inline table_description make_table(std::vector<column_description> columns, std::vector<key_description> keys) {
    table_description table;
    table.name = {"test", "t"};
    table.columns = std::move(columns);
    table.keys = std::move(keys);
    return table;
}

inline outcome<column_mapping> mapped(const table_description& original, const table_description& ghost,
                                      std::string_view alter = "FORCE") {
    const auto parsed = sql::parse_alter(alter);
    INFO((parsed.has_error() ? parsed.error().message : std::string()));
    REQUIRE(parsed.has_value());
    return map_columns(original, ghost, *parsed);
}

inline column_mapping mapping_of(const table_description& original, const table_description& ghost,
                                 std::string_view alter = "FORCE") {
    auto mapping = mapped(original, ghost, alter);
    INFO((mapping.has_error() ? mapping.error().message : std::string()));
    REQUIRE(mapping.has_value());
    return std::move(mapping).value();
}

inline failure refusal(const table_description& original, const table_description& ghost,
                       std::string_view alter = "FORCE") {
    auto mapping = mapped(original, ghost, alter);
    REQUIRE(mapping.has_error());
    CHECK(mapping.error().then == disposition::abort);
    return std::move(mapping).error();
}

inline const auto id = make_column("id", "int");
inline const auto v = nullable(make_column("v", "int"));
inline const auto primary = make_key("PRIMARY", {"id"});

/// A table of one key column, before and after.
inline table_description keyed(column_description column) {
    const auto name = column.name;
    return make_table({std::move(column)}, {make_key("PRIMARY", {name})});
}

}  // namespace sluice::test

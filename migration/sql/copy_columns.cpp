#include "migration/sql/copy_columns.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "migration/sql/identifier.hpp"

namespace sluice::migration {

namespace {

[[nodiscard]] std::optional<key_type> key_type_of(std::string_view data_type) {
    static constexpr auto types = std::to_array<std::pair<std::string_view, key_type>>({
        {"tinyint", key_type::integer},   {"smallint", key_type::integer},   {"mediumint", key_type::integer},
        {"int", key_type::integer},       {"bigint", key_type::integer},     {"year", key_type::year},
        {"decimal", key_type::decimal},   {"date", key_type::temporal},      {"time", key_type::temporal},
        {"datetime", key_type::temporal}, {"timestamp", key_type::temporal}, {"bit", key_type::bit},
        {"enum", key_type::ordinal},      {"set", key_type::ordinal},        {"char", key_type::text},
        {"varchar", key_type::text},      {"tinytext", key_type::text},      {"text", key_type::text},
        {"mediumtext", key_type::text},   {"longtext", key_type::text},      {"binary", key_type::binary},
        {"varbinary", key_type::binary},  {"tinyblob", key_type::binary},    {"blob", key_type::binary},
        {"mediumblob", key_type::binary}, {"longblob", key_type::binary},
    });
    const auto* found =
        std::find_if(types.begin(), types.end(), [&](const auto& one) { return one.first == data_type; });
    if (found == types.end()) return std::nullopt;
    return found->second;
}

[[nodiscard]] const column_description* column_named(const table_description& table, std::string_view name) {
    const auto found = std::find_if(table.columns.begin(), table.columns.end(),
                                    [&](const column_description& column) { return column.name == name; });
    return found == table.columns.end() ? nullptr : &*found;
}

}  // namespace

outcome<key_column> key_column_of(const column_description& original, const column_description& ghost) {
    const auto type = key_type_of(original.data_type);
    if (!type) {
        return refuse("unsupported_key_type", "column " + quote_identifier(original.name) + " of type " +
                                                  original.column_type +
                                                  " stands in the key; its values cannot be told apart exactly");
    }
    key_column column;
    column.original = original.name;
    column.ghost = ghost.name;
    column.type = *type;
    if (*type == key_type::text) {
        column.charset = original.charset;
        if (original.collation != ghost.collation && !ghost.collation.empty()) {
            column.ghost_charset = ghost.charset;
            column.ghost_collation = ghost.collation;
        }
    }
    if (original.data_type == "binary") column.binary_length = original.octet_length_max;
    return column;
}

outcome<copy_columns> copy_columns_of(const table_description& original, const table_description& ghost,
                                      const column_mapping& mapping) {
    SLUICE_ASSERT(!mapping.key.columns.empty() && !mapping.copied.empty());
    SLUICE_ASSERT(mapping.key.columns.size() == mapping.key.original_columns.size());
    copy_columns columns;
    columns.original = original.name;
    columns.ghost = ghost.name;
    for (const auto& column : mapping.copied) columns.columns.push_back({column.original, column.ghost});
    columns.original_index = mapping.key.original_index;
    columns.ghost_index = mapping.key.ghost_index;
    for (std::size_t i = 0; i < mapping.key.columns.size(); ++i) {
        const auto* counterpart = column_named(ghost, mapping.key.columns[i].ghost);
        SLUICE_ASSERT(counterpart != nullptr);
        SLUICE_TRY(auto column, key_column_of(mapping.key.original_columns[i], *counterpart));
        columns.key.push_back(std::move(column));
    }
    return columns;
}

}  // namespace sluice::migration

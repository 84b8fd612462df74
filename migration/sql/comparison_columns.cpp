#include "migration/sql/comparison_columns.hpp"

#include <algorithm>
#include <utility>

namespace sluice::migration {
namespace {

constexpr const char* scratch_name = "_sluice_scratch";

template <class... Names>
[[nodiscard]] bool is_one_of(std::string_view type, Names... names) noexcept {
    return ((type == names) || ...);
}

[[nodiscard]] bool is_integer(std::string_view type) noexcept {
    return is_one_of(type, "tinyint", "smallint", "mediumint", "int", "bigint");
}

/// Types that keep text as it is given. CHAR is none of them: it loses trailing spaces.
[[nodiscard]] bool keeps_text(std::string_view type) noexcept {
    return is_one_of(type, "varchar", "tinytext", "text", "mediumtext", "longtext");
}

[[nodiscard]] bool keeps_bytes(std::string_view type) noexcept {
    return is_one_of(type, "varbinary", "tinyblob", "blob", "mediumblob", "longblob");
}

[[nodiscard]] const column_description* column_named(const table_description& table, std::string_view name) {
    const auto found = std::find_if(table.columns.begin(), table.columns.end(),
                                    [&](const column_description& column) { return column.name == name; });
    return found == table.columns.end() ? nullptr : &*found;
}

[[nodiscard]] const key_description* key_named(const table_description& table, std::string_view name) {
    const auto found = std::find_if(table.keys.begin(), table.keys.end(),
                                    [&](const key_description& key) { return key.name == name; });
    return found == table.keys.end() ? nullptr : &*found;
}

/// The key's values are the same in both tables, and the ghost's index has, or begins with, its columns in the same
/// order.
[[nodiscard]] bool has_one_order(const table_description& ghost, const copy_columns& columns) {
    const auto* index = key_named(ghost, columns.ghost_index);
    if (index == nullptr || index->parts.size() < columns.key.size()) return false;
    for (std::size_t i = 0; i < columns.key.size(); ++i) {
        const auto& part = index->parts[i];
        if (columns.key[i].change != key_change::none || part.prefix_length) return false;
        if (part.column != columns.key[i].ghost) return false;
    }
    return true;
}

/// Whether one can walk along the key: every row has a place there, and an index gives the order.
[[nodiscard]] bool is_walkable(const table_description& table, const key_description& key) {
    return key.unique && key.visible && std::all_of(key.parts.begin(), key.parts.end(), [&](const key_part& part) {
               const auto* column = column_named(table, part.column);
               return column != nullptr && !column->nullable && !part.prefix_length;
           });
}

void walk_along_ghost(const table_description& ghost, comparison_columns& made) {
    made.ghost_walk.original = ghost.name;
    for (const auto& index : ghost.keys) {
        if (!is_walkable(ghost, index)) continue;
        std::vector<key_column> key;
        std::vector<bool> is_unsigned;
        for (const auto& part : index.parts) {
            const auto* column = column_named(ghost, part.column);
            auto described = key_column_of(*column, *column);
            if (!described) break;
            key.push_back(std::move(described).value());
            is_unsigned.push_back(column->is_unsigned);
        }
        if (key.size() != index.parts.size()) continue;
        made.ghost_walk.original_index = index.name;
        made.ghost_walk.key = std::move(key);
        made.ghost_key_is_unsigned = std::move(is_unsigned);
        return;
    }
}

}  // namespace

bool comparison_columns::converts() const noexcept {
    return std::any_of(compared.begin(), compared.end(), [](const compared_column& one) { return one.converted; });
}

bool keeps_stored_values(const column_description& before, const column_description& after) {
    // Compared as numbers, whatever their widths and signs: an integer that does not fit is refused in strict mode.
    if (is_integer(before.data_type) && is_integer(after.data_type)) return true;
    if (before.charset != after.charset) return false;
    if (before.data_type == after.data_type && before.column_type == after.column_type) return true;
    const bool is_wider = after.octet_length_max >= before.octet_length_max;
    if (keeps_bytes(before.data_type) && keeps_bytes(after.data_type)) return is_wider;
    // A CHAR is read without its trailing spaces, and stays so.
    if (before.data_type == "char" && after.data_type == "char") return is_wider;
    return (before.data_type == "char" || keeps_text(before.data_type)) && keeps_text(after.data_type) && is_wider;
}

comparison_form comparison_form_of(std::string_view data_type) {
    if (is_integer(data_type) || is_one_of(data_type, "decimal", "bit", "date", "time", "datetime", "timestamp")) {
        return comparison_form::value;
    }
    if (is_one_of(data_type, "float", "double")) return comparison_form::floating;
    // YEAR by its number: MariaDB compares one that WHERE holds to a constant as a date, and finds nothing equal.
    if (is_one_of(data_type, "enum", "set", "year")) return comparison_form::ordinal;
    if (data_type == "json") return comparison_form::json;
    return comparison_form::bytes;
}

comparison_columns comparison_columns_of(const table_description& original, const table_description& ghost,
                                         const copy_columns& columns, bool has_json_sizes) {
    comparison_columns made;
    made.columns = columns;
    made.scratch = {columns.original.schema, scratch_name};
    made.has_json_sizes = has_json_sizes;
    for (const auto& column : columns.columns) {
        // Only the ghost has it, and the rows that are there keep its values.
        if (std::find(columns.kept.begin(), columns.kept.end(), column.ghost) != columns.kept.end()) continue;
        const auto* before = column_named(original, column.original);
        const auto* after = column_named(ghost, column.ghost);
        SLUICE_ASSERT(after != nullptr);
        const bool direct = before != nullptr && column.pieces.empty() && keeps_stored_values(*before, *after);
        made.compared.push_back({column, comparison_form_of(after->data_type), !direct});
    }
    for (const auto& key : columns.key) {
        const auto* column = column_named(original, key.original);
        SLUICE_ASSERT(column != nullptr);
        made.key_is_unsigned.push_back(column->is_unsigned);
    }
    SLUICE_ASSERT(!made.compared.empty());
    made.one_order = has_one_order(ghost, columns);
    if (!made.one_order) walk_along_ghost(ghost, made);
    return made;
}

}  // namespace sluice::migration

#include "migration/sql/copy_columns.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "migration/model/key_column_rules.hpp"
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
        {"mediumblob", key_type::binary}, {"longblob", key_type::binary},    {"uuid", key_type::binary},
        {"inet4", key_type::binary},      {"inet6", key_type::binary},
    });
    const auto* found =
        std::find_if(types.begin(), types.end(), [&](const auto& one) { return one.first == data_type; });
    if (found == types.end()) return std::nullopt;
    return found->second;
}

[[nodiscard]] key_change key_change_of(const column_description& original, const column_description& ghost) {
    const auto type = key_type_of(original.data_type);
    if (type == key_type::text && !ghost.collation.empty() && original.collation != ghost.collation) {
        return key_change::text;
    }
    if (type == key_type::integer && key_type_of(ghost.data_type) == key_type::text) return key_change::number_text;
    if (type == key_type::integer && ghost.data_type == "decimal") return key_change::decimal;
    if (original.data_type == "binary" && ghost.data_type == "binary" &&
        original.octet_length_max != ghost.octet_length_max) {
        return key_change::padded;
    }
    if (type == key_type::ordinal) {
        const auto members = members_of(original.column_type);
        const auto now = members_of(ghost.column_type);
        const bool in_place = members.size() <= now.size() && std::equal(members.begin(), members.end(), now.begin());
        if (!in_place) return key_change::members;
    }
    return key_change::none;
}

/// Per member of the original's ENUM or SET: its number or bit in the ghost's list, 0 if it is not there.
[[nodiscard]] std::vector<std::uint64_t> places_of_members(const column_description& original,
                                                           const column_description& ghost) {
    const auto now = members_of(ghost.column_type);
    std::vector<std::uint64_t> places;
    for (const auto& member : members_of(original.column_type)) {
        const auto found = static_cast<std::uint64_t>(std::find(now.begin(), now.end(), member) - now.begin());
        if (found == now.size()) {
            places.push_back(0);
        } else {
            places.push_back(original.data_type == "set" ? std::uint64_t{1} << found : found + 1);
        }
    }
    return places;
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
        column.collation = original.collation;
    }
    column.binary_length = fixed_binary_length(original);
    column.change = key_change_of(original, ghost);
    switch (column.change) {
        case key_change::none:
        case key_change::decimal: break;
        case key_change::text:
        case key_change::number_text:
            column.ghost_charset = ghost.charset;
            column.ghost_collation = ghost.collation;
            break;
        case key_change::padded: column.ghost_binary_length = ghost.octet_length_max; break;
        case key_change::members:
            column.is_set = original.data_type == "set";
            column.ghost_members = places_of_members(original, ghost);
            break;
    }
    return column;
}

namespace {

/// A value that the ghost computes and keeps, from a TIMESTAMP: in the engine's zone, not in that of an ALTER TABLE.
[[nodiscard]] outcome<void> check_generated(const table_description& ghost, const conversion_settings& settings) {
    if (settings.time_zone == "+00:00") return {};
    for (const auto& column : ghost.columns) {
        const bool indexed = std::any_of(ghost.keys.begin(), ghost.keys.end(), [&](const key_description& key) {
            return std::any_of(key.parts.begin(), key.parts.end(),
                               [&](const key_part& part) { return part.column == column.name; });
        });
        if (!column.generated || (!column.stored && !indexed)) continue;
        for (const auto& source : ghost.columns) {
            if (source.data_type != "timestamp" ||
                column.generation_expression.find(quote_identifier(source.name)) == std::string::npos) {
                continue;
            }
            return refuse(
                "unsupported_conversion",
                "generated column " + quote_identifier(column.name) + " is computed from TIMESTAMP " +
                    quote_identifier(source.name) + " in the time zone of whoever writes the row, which is " +
                    settings.time_zone +
                    " for an ALTER TABLE and +00:00 here; if +00:00 is right, say so by the option time_zone");
        }
    }
    return {};
}

}  // namespace

outcome<copy_columns> copy_columns_of(const table_description& original, const table_description& ghost,
                                      const column_mapping& mapping, const conversion_settings& settings) {
    SLUICE_ASSERT(!mapping.key.columns.empty() && !mapping.copied.empty());
    SLUICE_ASSERT(mapping.key.columns.size() == mapping.key.original_columns.size());
    SLUICE_TRY_VOID(check_generated(ghost, settings));
    copy_columns columns;
    columns.original = original.name;
    columns.ghost = ghost.name;
    for (const auto& column : mapping.copied) {
        const auto* after = column_named(ghost, column.ghost);
        SLUICE_ASSERT(after != nullptr && column.original_ordinal < original.columns.size());
        SLUICE_TRY(auto pieces, conversion_of(original.columns[column.original_ordinal], *after, settings));
        columns.columns.push_back({column.original, column.ghost, std::move(pieces)});
    }
    for (const auto& name : mapping.added) {
        const auto* added = column_named(ghost, name);
        SLUICE_ASSERT(added != nullptr);
        SLUICE_TRY(auto value, value_of_new_column(*added, settings));
        if (value) columns.columns.push_back({{}, name, {*std::move(value)}});
    }
    columns.original_index = mapping.key.original_index;
    columns.ghost_index = mapping.key.ghost_index;
    columns.key_is_enforced = mapping.key.enforced;
    for (std::size_t i = 0; i < mapping.key.columns.size(); ++i) {
        const auto* counterpart = column_named(ghost, mapping.key.columns[i].ghost);
        SLUICE_ASSERT(counterpart != nullptr);
        SLUICE_TRY(auto column, key_column_of(mapping.key.original_columns[i], *counterpart));
        columns.key.push_back(std::move(column));
    }
    return columns;
}

}  // namespace sluice::migration

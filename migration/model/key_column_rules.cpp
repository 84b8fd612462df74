#include "migration/model/key_column_rules.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace sluice::migration {
namespace {

struct integer_type {
    std::string_view name;
    std::uint64_t bytes;
};

constexpr std::array integer_types{integer_type{"tinyint", 1}, integer_type{"smallint", 2},
                                   integer_type{"mediumint", 3}, integer_type{"int", 4}, integer_type{"bigint", 8}};

/// 0 for a type that is no integer.
std::uint64_t integer_bytes(std::string_view type) {
    const auto found = std::ranges::find(integer_types, type, &integer_type::name);
    return found == integer_types.end() ? 0 : found->bytes;
}

template <class... Names>
bool is_one_of(std::string_view type, Names... names) {
    return ((type == names) || ...);
}

bool is_integer(std::string_view type) { return integer_bytes(type) != 0; }
bool is_text(std::string_view type) { return is_one_of(type, "char", "varchar"); }

/// Trailing spaces tell values apart: `binary`, MySQL's _0900_ collations and MariaDB's _nopad_ ones.
bool is_no_pad(std::string_view collation) {
    return collation.find("_0900_") != std::string_view::npos || collation.find("_nopad_") != std::string_view::npos;
}

/// An old member that is in the list no more ends the migration where a row has it.
bool keeps_members(const column_description& before, const column_description& after) {
    if (before.charset != after.charset) return false;
    const auto now = members_of(after.column_type);
    // A member in another letter case is still found by its text, but which one that is only the collation knows.
    const auto was = members_of(before.column_type);
    const bool any =
        std::ranges::any_of(was, [&](const auto& one) { return std::ranges::find(now, one) != now.end(); });
    return any && (before.data_type != "set" || now.size() <= 64);
}

/// Distinct values stay distinct, and each can be written as a literal for the ghost.
bool keeps_identity(const column_description& before, const column_description& after) {
    const std::string_view from = before.data_type;
    const std::string_view to = after.data_type;
    if (is_integer(from)) {
        const bool zero_filled = before.column_type.find("zerofill") != std::string::npos;
        return is_integer(to) || to == "decimal" || (is_text(to) && !zero_filled);
    }
    if (from == "decimal") {
        if (to == "decimal") return after.numeric_scale >= before.numeric_scale;
        return is_integer(to) && before.numeric_scale == 0;
    }
    if (from == "date" && to == "datetime") return true;
    if (from == "binary" && is_one_of(to, "binary", "varbinary")) {
        return after.octet_length_max >= before.octet_length_max;
    }
    if (is_text(from) && is_text(to)) {
        // What is cut off, or not stored, is spaces: they count where the collation does not pad.
        const bool loses_spaces = (from == "varchar" && to == "char") || after.char_length_max < before.char_length_max;
        return !(loses_spaces && is_no_pad(before.collation));
    }
    if (from != to) return false;
    if (from == "varbinary") return true;
    if (is_one_of(from, "date", "time", "datetime", "timestamp", "year")) {
        return after.fraction_digits >= before.fraction_digits;
    }
    if (is_one_of(from, "enum", "set")) return keeps_members(before, after);
    if (from == "bit") return after.numeric_precision >= before.numeric_precision;
    return before.column_type == after.column_type;
}

}  // namespace

bool is_key_type(const column_description& column) {
    return integer_bytes(column.data_type) != 0 ||
           is_one_of(column.data_type, "decimal", "date", "time", "datetime", "timestamp", "year", "bit", "enum", "set",
                     "char", "varchar", "binary", "varbinary", "uuid", "inet4", "inet6");
}

bool is_exactly_ordered(const column_description& column) {
    return integer_bytes(column.data_type) != 0 ||
           is_one_of(column.data_type, "date", "datetime", "timestamp", "binary", "varbinary", "inet4", "inet6");
}

std::uint64_t fixed_binary_length(const column_description& column) {
    if (column.data_type == "binary") return column.octet_length_max;
    if (is_one_of(column.data_type, "uuid", "inet6")) return 16;
    return column.data_type == "inet4" ? 4 : 0;
}

bool bytes_are_identity(const column_description& column) { return !is_one_of(column.data_type, "char", "varchar"); }

std::string value_change(const column_description& before, const column_description& after) {
    if (keeps_identity(before, after)) return {};
    std::string change = "changes from " + before.column_type + " to " + after.column_type;
    if ((before.data_type == "timestamp") != (after.data_type == "timestamp")) {
        change += ", which depends on a time zone";
    }
    return change;
}

bool keeps_form(const column_description& before, const column_description& after) {
    if (!keeps_identity(before, after) || before.collation != after.collation) return false;
    if (is_integer(before.data_type)) return !is_text(after.data_type);
    if (before.data_type == "binary" && after.data_type == "binary") return before.column_type == after.column_type;
    if (is_one_of(before.data_type, "enum", "set")) {
        const auto was = members_of(before.column_type);
        const auto now = members_of(after.column_type);
        return was.size() <= now.size() && std::equal(was.begin(), was.end(), now.begin());
    }
    return true;
}

std::vector<std::string> members_of(std::string_view column_type) {
    std::vector<std::string> members;
    if (!column_type.starts_with("enum(") && !column_type.starts_with("set(")) return members;
    for (std::size_t i = column_type.find('('); i < column_type.size(); ++i) {
        if (column_type[i] != '\'') continue;
        std::string member;
        while (++i < column_type.size()) {
            const bool quote = column_type[i] == '\'';
            if (quote && (i + 1 == column_type.size() || column_type[i + 1] != '\'')) break;
            if (quote) ++i;
            member += column_type[i];
        }
        members.push_back(std::move(member));
    }
    return members;
}

std::uint64_t value_bytes_max(const column_description& column) {
    const std::string_view type = column.data_type;
    if (const auto bytes = integer_bytes(type); bytes != 0) return bytes;
    if (is_one_of(type, "char", "varchar", "binary", "varbinary")) return column.octet_length_max;
    if (is_one_of(type, "uuid", "inet4", "inet6")) return fixed_binary_length(column);
    if (type == "decimal") return column.numeric_precision / 2 + 1;
    if (is_one_of(type, "date", "time", "timestamp"))
        return 3 + (column.fraction_digits + 1) / 2 + (type == "timestamp");
    if (type == "datetime") return 5 + (column.fraction_digits + 1) / 2;
    if (is_one_of(type, "year")) return 1;
    if (is_one_of(type, "enum")) return 2;
    if (is_one_of(type, "bit", "set")) return 8;
    return 0;
}

}  // namespace sluice::migration

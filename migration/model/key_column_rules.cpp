#include "migration/model/key_column_rules.hpp"

#include <algorithm>
#include <array>
#include <string_view>

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

/// enum('a','b') begins enum('a','b','c'). A quote inside a member is doubled, so a list cannot end within one.
bool appends_members(std::string_view before, std::string_view after) {
    if (before.empty()) return false;
    before.remove_suffix(1);
    return after.size() > before.size() && after.starts_with(before) && after[before.size()] == ',';
}

unsigned integer_digits(const column_description& decimal) { return decimal.numeric_precision - decimal.numeric_scale; }

bool keeps_values(const column_description& before, const column_description& after) {
    const std::string_view type = before.data_type;
    if (integer_bytes(type) != 0) {
        return before.is_unsigned == after.is_unsigned && integer_bytes(after.data_type) >= integer_bytes(type);
    }
    if (before.data_type != after.data_type) return false;
    if (is_one_of(type, "char", "varchar", "varbinary")) return after.char_length_max >= before.char_length_max;
    if (type == "decimal") {
        return before.is_unsigned == after.is_unsigned && before.numeric_scale == after.numeric_scale &&
               integer_digits(after) >= integer_digits(before);
    }
    if (is_one_of(type, "date", "time", "datetime", "timestamp", "year")) {
        return after.fraction_digits >= before.fraction_digits;
    }
    if (is_one_of(type, "enum", "set")) {
        return before.column_type == after.column_type || appends_members(before.column_type, after.column_type);
    }
    return before.column_type == after.column_type;  // BINARY pads its values, BIT is an image of its length
}

}  // namespace

bool is_key_type(const column_description& column) {
    return integer_bytes(column.data_type) != 0 ||
           is_one_of(column.data_type, "decimal", "date", "time", "datetime", "timestamp", "year", "bit", "enum", "set",
                     "char", "varchar", "binary", "varbinary");
}

bool is_exactly_ordered(const column_description& column) {
    return integer_bytes(column.data_type) != 0 ||
           is_one_of(column.data_type, "date", "datetime", "timestamp", "binary", "varbinary");
}

bool bytes_are_identity(const column_description& column) { return !is_one_of(column.data_type, "char", "varchar"); }

std::string value_change(const column_description& before, const column_description& after) {
    if (!keeps_values(before, after)) return "changes from " + before.column_type + " to " + after.column_type;
    if (before.charset != after.charset) {
        return "changes its character set from " + before.charset + " to " + after.charset;
    }
    if (before.collation != after.collation) {
        return "changes its collation from " + before.collation + " to " + after.collation;
    }
    return {};
}

std::uint64_t value_bytes_max(const column_description& column) {
    const std::string_view type = column.data_type;
    if (const auto bytes = integer_bytes(type); bytes != 0) return bytes;
    if (is_one_of(type, "char", "varchar", "binary", "varbinary")) return column.octet_length_max;
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

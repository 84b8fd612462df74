#include "migration/sql/key_conversion.hpp"

#include <charconv>
#include <cstdint>

namespace sluice::migration {

namespace {

[[nodiscard]] std::string in_collation(const std::string& value, const std::string& charset,
                                       const std::string& collation) {
    return "CONVERT(" + value + " USING " + charset + ") COLLATE " + collation;
}

[[nodiscard]] std::uint64_t number_of(const std::string& literal) {
    std::uint64_t number = 0;
    std::from_chars(literal.data(), literal.data() + literal.size(), number);
    return number;
}

/// 0 for an ENUM's '' that stands for an invalid value, and for an empty SET; nothing where a member is gone.
[[nodiscard]] std::string member_literal(const key_column& column, std::uint64_t value) {
    if (value == 0) return "0";
    if (!column.is_set) {
        const bool known = value <= column.ghost_members.size() && column.ghost_members[value - 1] != 0;
        return known ? std::to_string(column.ghost_members[value - 1]) : "NULL";
    }
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < column.ghost_members.size(); ++i) {
        if ((value >> i & 1U) == 0) continue;
        if (column.ghost_members[i] == 0) return "NULL";
        bits |= column.ghost_members[i];
    }
    return std::to_string(bits);
}

/// The number of one side's member, by a table of numbers spelled out.
[[nodiscard]] std::string member_expression(const key_column& column, const std::string& reference, bool to_ghost) {
    const auto number = "CAST(" + reference + " AS UNSIGNED)";
    std::string text = column.is_set ? "(0" : "CASE " + number;
    for (std::size_t i = 0; i < column.ghost_members.size(); ++i) {
        const auto ghost = column.ghost_members[i];
        if (ghost == 0) continue;
        const auto original = column.is_set ? std::uint64_t{1} << i : i + 1;
        const auto from = std::to_string(to_ghost ? original : ghost);
        const auto to = std::to_string(to_ghost ? ghost : original);
        if (column.is_set) {
            text.append(" | IF(").append(number).append(" & ").append(from).append(", ").append(to).append(", 0)");
        } else {
            text.append(" WHEN ").append(from).append(" THEN ").append(to);
        }
    }
    return text + (column.is_set ? ")" : " WHEN 0 THEN 0 END");
}

}  // namespace

std::string ghost_literal(const key_column& column, const std::string& literal) {
    switch (column.change) {
        case key_change::none:
        case key_change::decimal: break;
        case key_change::text:
            // The server converts a literal only where its character set has no more characters than the column's.
            if (column.charset == column.ghost_charset) return literal;
            return in_collation(literal, column.ghost_charset, column.ghost_collation);
        case key_change::number_text: return '\'' + literal + '\'';
        case key_change::padded: {
            constexpr std::string_view empty = "_binary ''";
            std::string digits = literal == empty ? "_binary 0x" : literal;
            constexpr std::size_t prefix = std::string_view("_binary 0x").size();
            digits.resize(prefix + 2 * column.ghost_binary_length, '0');
            return digits;
        }
        case key_change::members: return member_literal(column, number_of(literal));
    }
    return literal;
}

std::string as_ghost_key(const key_column& column, const std::string& original) {
    switch (column.change) {
        case key_change::none:
        case key_change::decimal: break;
        case key_change::text:
        case key_change::number_text: return in_collation(original, column.ghost_charset, column.ghost_collation);
        case key_change::padded:
            return "RPAD(" + original + ", " + std::to_string(column.ghost_binary_length) + ", _binary 0x00)";
        case key_change::members: return member_expression(column, original, true);
    }
    return original;
}

std::string as_original_key(const key_column& column, const std::string& ghost) {
    switch (column.change) {
        case key_change::none: break;
        case key_change::text: return in_collation(ghost, column.charset, column.collation);
        case key_change::number_text:
        case key_change::decimal: return "CAST(" + ghost + " AS DECIMAL(20))";
        case key_change::padded: return "LEFT(" + ghost + ", " + std::to_string(column.binary_length) + ')';
        case key_change::members: return member_expression(column, ghost, false);
    }
    return ghost;
}

}  // namespace sluice::migration

#include "migration/sql/key_literal.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "migration/sql/identifier.hpp"

namespace sluice::migration {

namespace {

using binlog::key_kind;
using binlog::key_value;

[[nodiscard]] constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

[[nodiscard]] bool is_decimal_text(std::string_view text) noexcept {
    if (text.starts_with('-')) text.remove_prefix(1);
    const auto point = text.find('.');
    const auto all_digits = [](std::string_view digits) {
        return !digits.empty() && std::all_of(digits.begin(), digits.end(), is_digit);
    };
    if (point == std::string_view::npos) return all_digits(text);
    return all_digits(text.substr(0, point)) && all_digits(text.substr(point + 1));
}

/// Digits and the marks between them: enough that quotes need no thought.
[[nodiscard]] bool is_temporal_text(std::string_view text) noexcept {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return is_digit(c) || c == '-' || c == ':' || c == '.' || c == ' ';
    });
}

[[nodiscard]] bool is_charset_name(std::string_view name) noexcept {
    return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
        return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    });
}

[[nodiscard]] std::string bytes_literal(std::string_view charset, std::string_view bytes) {
    SLUICE_ASSERT(is_charset_name(charset));
    // 0x without digits is a name.
    const auto content = bytes.empty() ? std::string("''") : "0x" + to_hex(bytes);
    return '_' + std::string(charset) + ' ' + content;
}

[[nodiscard]] std::string quoted(const std::string& text) {
    SLUICE_ASSERT(is_temporal_text(text));
    return '\'' + text + '\'';
}

template <class Integer>
[[nodiscard]] std::optional<Integer> parse_integer(std::string_view text) noexcept {
    Integer value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
    return value;
}

[[nodiscard]] std::optional<std::string> parse_hex(std::string_view text) {
    const auto digit = [](char c) -> int {
        if (is_digit(c)) return c - '0';
        if (c >= 'A' && c <= 'F') return c - 'A' + 10;
        if (c >= 'a' && c <= 'f') return c - 'a' + 10;
        return -1;
    };
    if (text.size() % 2 != 0) return std::nullopt;
    std::string bytes;
    bytes.reserve(text.size() / 2);
    for (std::size_t i = 0; i < text.size(); i += 2) {
        const int high = digit(text[i]);
        const int low = digit(text[i + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        bytes += static_cast<char>(high * 16 + low);
    }
    return bytes;
}

[[nodiscard]] key_kind temporal_kind(std::string_view text) noexcept {
    if (text.find(':') == std::string_view::npos) return key_kind::date;
    return text.find(' ') == std::string_view::npos ? key_kind::time : key_kind::datetime;
}

[[nodiscard]] std::optional<key_value> value_of_text(const key_column& column, bool is_unsigned,
                                                     const std::string& text) {
    switch (column.type) {
        case key_type::integer:
            if (is_unsigned) {
                if (const auto number = parse_integer<std::uint64_t>(text)) {
                    return key_value{key_kind::unsigned_integer, *number};
                }
            } else if (const auto number = parse_integer<std::int64_t>(text)) {
                return key_value{key_kind::signed_integer, *number};
            }
            return std::nullopt;
        case key_type::bit:
        case key_type::ordinal:
            if (const auto number = parse_integer<std::uint64_t>(text)) {
                return key_value{column.type == key_type::bit ? key_kind::bit : key_kind::enumeration, *number};
            }
            return std::nullopt;
        case key_type::decimal:
            if (!is_decimal_text(text)) return std::nullopt;
            return key_value{key_kind::decimal, text};
        case key_type::year:
            if (text.size() != 4 || !std::all_of(text.begin(), text.end(), is_digit)) return std::nullopt;
            return key_value{key_kind::year, text};
        case key_type::temporal:
            if (!is_temporal_text(text)) return std::nullopt;
            return key_value{temporal_kind(text), text};
        case key_type::text:
        case key_type::binary:
            if (auto bytes = parse_hex(text)) return key_value{key_kind::bytes, std::move(*bytes)};
            return std::nullopt;
    }
    return std::nullopt;
}

}  // namespace

std::string literal_of_value(const key_column& column, const key_value& value) {
    switch (value.kind) {
        case key_kind::signed_integer:
            SLUICE_ASSERT(column.type == key_type::integer);
            return std::to_string(value.signed_integer());
        case key_kind::unsigned_integer:
            SLUICE_ASSERT(column.type == key_type::integer);
            return std::to_string(value.unsigned_integer());
        case key_kind::bit:
            SLUICE_ASSERT(column.type == key_type::bit);
            return std::to_string(value.unsigned_integer());
        case key_kind::enumeration:
        case key_kind::set:
            SLUICE_ASSERT(column.type == key_type::ordinal);
            return std::to_string(value.unsigned_integer());
        case key_kind::decimal:
            SLUICE_ASSERT(column.type == key_type::decimal && is_decimal_text(value.text()));
            return value.text();
        case key_kind::year: SLUICE_ASSERT(column.type == key_type::year); return quoted(value.text());
        case key_kind::time:
            // Typed: 9.7 compares a TIME in (a, t) IN ((1, '01:00:00.5')) as text, with a column's own number of
            // digits.
            SLUICE_ASSERT(column.type == key_type::temporal);
            return "TIME" + quoted(value.text());
        case key_kind::date:
        case key_kind::datetime:
        case key_kind::timestamp: SLUICE_ASSERT(column.type == key_type::temporal); return quoted(value.text());
        case key_kind::bytes: {
            SLUICE_ASSERT(column.type == key_type::text || column.type == key_type::binary);
            if (column.type == key_type::text) return bytes_literal(column.charset, value.text());
            auto bytes = value.text();
            if (bytes.size() < column.binary_length) bytes.resize(column.binary_length, '\0');
            return bytes_literal("binary", bytes);
        }
        case key_kind::null: break;
    }
    SLUICE_ASSERT(!value.is_null());
    return {};
}

outcome<key_value> value_of_cell(const key_column& column, bool is_unsigned, const cell& text) {
    const auto name = quote_identifier(column.original);
    if (!text) return refuse("bad_key_value", "key column " + name + " is NULL");
    auto value = value_of_text(column, is_unsigned, *text);
    if (!value) {
        return refuse("bad_key_value",
                      "key column " + name + " holds \"" + text->substr(0, 64) + "\", which is no value of its type");
    }
    return *std::move(value);
}

std::string join_literals(std::span<const std::string> literals) {
    std::string joined;
    for (const auto& literal : literals) {
        if (!joined.empty()) joined += ',';
        joined += literal;
    }
    return joined;
}

key_literals split_literals(std::string_view joined) {
    key_literals literals;
    for (;;) {
        const auto comma = std::min(joined.find(','), joined.size());
        literals.emplace_back(joined.substr(0, comma));
        if (comma == joined.size()) return literals;
        joined.remove_prefix(comma + 1);
    }
}

}  // namespace sluice::migration

#include "migration/sql/identifier.hpp"

#include <algorithm>

namespace sluice::migration {

namespace {

/// Length of the well-formed UTF-8 sequence at the head of text; 0 if it is malformed.
[[nodiscard]] std::size_t utf8_length(std::string_view text) noexcept {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const auto trails = [&](std::size_t count) {
        if (text.size() <= count) return false;
        for (std::size_t i = 1; i <= count; ++i) {
            if ((byte(i) & 0xC0U) != 0x80U) return false;
        }
        return true;
    };
    const unsigned lead = byte(0);
    if (lead < 0x80) return 1;
    if (lead >= 0xC2 && lead <= 0xDF) return trails(1) ? 2 : 0;
    if (lead >= 0xE0 && lead <= 0xEF) {
        if (!trails(2)) return 0;
        const bool overlong = lead == 0xE0 && byte(1) < 0xA0;
        const bool surrogate = lead == 0xED && byte(1) > 0x9F;
        return overlong || surrogate ? 0 : 3;
    }
    if (lead >= 0xF0 && lead <= 0xF4) {
        if (!trails(3)) return 0;
        const bool overlong = lead == 0xF0 && byte(1) < 0x90;
        const bool beyond = lead == 0xF4 && byte(1) > 0x8F;
        return overlong || beyond ? 0 : 4;
    }
    return 0;
}

[[nodiscard]] failure bad(std::string_view name, std::string_view why) {
    return refuse("bad_identifier",
                  "\"" + std::string(name.substr(0, 80)) + "\" cannot be a name: " + std::string(why));
}

}  // namespace

std::string shortened(std::string_view utf8, std::size_t characters_max) {
    const auto begins_none = [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; };
    std::size_t characters = 0;
    for (std::size_t i = 0; i < utf8.size(); ++i) {
        if (begins_none(utf8[i])) continue;
        if (++characters > characters_max) return std::string(utf8.substr(0, i)) + "...";
    }
    return std::string(utf8);
}

std::string well_formed_utf8(std::string_view text) {
    std::string clean;
    while (!text.empty()) {
        const std::size_t length = utf8_length(text);
        if (length == 0) {
            clean += '?';
        } else {
            clean += text.substr(0, length);
        }
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return clean;
}

std::size_t character_count(std::string_view utf8) noexcept {
    std::size_t count = 0;
    while (!utf8.empty()) {
        utf8.remove_prefix(std::max<std::size_t>(utf8_length(utf8), 1));
        ++count;
    }
    return count;
}

outcome<void> check_identifier(std::string_view name) {
    if (name.empty()) return bad(name, "it is empty");
    for (auto rest = name; !rest.empty();) {
        const auto length = utf8_length(rest);
        if (rest.front() == '\0') return bad(name, "it has a NUL byte");
        if (length == 0) return bad(name, "it is not UTF-8");
        if (length == 4) return bad(name, "it has a character beyond U+FFFF");
        rest.remove_prefix(length);
    }
    if (character_count(name) > identifier_characters_max) return bad(name, "it is longer than 64 characters");
    if (name.back() == ' ') return bad(name, "it ends in a space");
    return {};
}

std::string quote_identifier(std::string_view name) {
    SLUICE_ASSERT(check_identifier(name).has_value());
    std::string quoted;
    quoted.reserve(name.size() + 2);
    quoted += '`';
    for (const char c : name) {
        if (c == '`') quoted += '`';
        quoted += c;
    }
    quoted += '`';
    return quoted;
}

std::string quote_table(const table_name& table) {
    return quote_identifier(table.schema) + '.' + quote_identifier(table.table);
}

std::string quote_string(std::string_view text) {
    const bool plain = std::none_of(text.begin(), text.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x20 || byte == 0x7F || c == '\\';
    });
    if (!plain) return "_utf8mb4 0x" + to_hex(text);
    std::string quoted;
    quoted.reserve(text.size() + 2);
    quoted += '\'';
    for (const char c : text) {
        if (c == '\'') quoted += '\'';
        quoted += c;
    }
    quoted += '\'';
    return quoted;
}

std::string to_hex(std::string_view bytes) {
    static constexpr std::string_view digits = "0123456789ABCDEF";
    std::string hex;
    hex.reserve(bytes.size() * 2);
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        hex += digits[byte >> 4U];
        hex += digits[byte & 0x0FU];
    }
    return hex;
}

}  // namespace sluice::migration

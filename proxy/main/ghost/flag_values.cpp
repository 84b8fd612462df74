#include "proxy/main/ghost/flag_values.hpp"

#include <charconv>
#include <cstdlib>
#include <limits>
#include <optional>

namespace sluice::ghost {
namespace {

constexpr std::string_view parse_trouble = "parse error";
constexpr std::string_view range_trouble = "value out of range";

std::optional<bool> read_boolean(std::string_view text) {
    for (const std::string_view word : {"1", "t", "T", "true", "TRUE", "True"}) {
        if (text == word) return true;
    }
    for (const std::string_view word : {"0", "f", "F", "false", "FALSE", "False"}) {
        if (text == word) return false;
    }
    return std::nullopt;
}

/// Takes the underscores out that may stand between digits (or behind the base's prefix); nullopt where they may not.
std::optional<std::string> without_underscores(std::string_view digits, bool behind_prefix) {
    std::string plain;
    bool digit_before = behind_prefix;
    for (const char c : digits) {
        if (c == '_') {
            if (!digit_before) return std::nullopt;
            digit_before = false;
            continue;
        }
        plain += c;
        digit_before = true;
    }
    if (plain.empty() || !digit_before) return std::nullopt;
    return plain;
}

/// Base 0 of strconv.ParseInt. The error is Go's word for what is wrong.
result<std::int64_t, std::string_view> read_number(std::string_view text) {
    const bool negative = text.starts_with('-');
    if (negative || text.starts_with('+')) text.remove_prefix(1);
    int base = 10;
    if (text.size() > 1 && text[0] == '0') {
        const char letter = static_cast<char>(text[1] | 0x20);
        base = letter == 'x' ? 16 : letter == 'b' ? 2 : 8;
        text.remove_prefix(letter == 'x' || letter == 'b' || letter == 'o' ? 2 : 1);
    }
    const auto digits = without_underscores(text, base != 10);
    if (!digits) return parse_trouble;
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(digits->data(), digits->data() + digits->size(), value, base);
    if (error == std::errc::result_out_of_range) return range_trouble;
    if (error != std::errc{} || end != digits->data() + digits->size()) return parse_trouble;
    constexpr auto positive_max = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (value > positive_max + (negative ? 1 : 0)) return range_trouble;
    return static_cast<std::int64_t>(negative ? std::uint64_t{0} - value : value);
}

std::optional<double> read_decimal(std::string_view text) {
    if (text.starts_with('+')) text.remove_prefix(1);
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::string in_quotes(std::string_view text) {
    std::string all = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') all += '\\';
        all += c;
    }
    return all + '"';
}

flag_error wrong_value(std::string_view value, std::string_view name, std::string_view why) {
    return {"invalid value " + in_quotes(value) + " for flag -" + std::string(name) + ": " + std::string(why)};
}

std::string_view kind_word(flag_kind kind) {
    switch (kind) {
        case flag_kind::boolean: return "";
        case flag_kind::number: return " int";
        case flag_kind::decimal: return " float";
        case flag_kind::text:
        case flag_kind::texts: break;
    }
    return " string";
}

}  // namespace

result<flag_values, flag_error> flag_values::parse(std::span<const std::string> arguments) {
    flag_values values;
    std::size_t at = 0;
    for (; at < arguments.size(); ++at) {
        const std::string_view word = arguments[at];
        if (word.size() < 2 || word[0] != '-') break;
        if (word == "--") {
            ++at;
            break;
        }
        std::string_view name = word.substr(word[1] == '-' ? 2 : 1);
        if (name.empty() || name[0] == '-' || name[0] == '=') {
            return flag_error{"bad flag syntax: " + std::string(word)};
        }
        std::optional<std::string> value;
        if (const auto equals = name.find('='); equals != std::string_view::npos) {
            value = std::string(name.substr(equals + 1));
            name = name.substr(0, equals);
        }
        const flag* which = find_flag(name);
        if (which == nullptr) {
            if (name == "h") return flag_error{};
            return flag_error{"flag provided but not defined: -" + std::string(name)};
        }
        if (!value && which->kind == flag_kind::boolean) value = "true";
        if (!value) {
            if (++at == arguments.size()) return flag_error{"flag needs an argument: -" + std::string(name)};
            value = arguments[at];
        }
        SLUICE_TRY_VOID(values.set(*which, std::move(*value)));
    }
    values.rest_.assign(arguments.begin() + static_cast<std::ptrdiff_t>(at), arguments.end());
    return values;
}

result<void, flag_error> flag_values::set(const flag& which, std::string value) {
    switch (which.kind) {
        case flag_kind::boolean:
            if (!read_boolean(value)) {
                return flag_error{"invalid boolean value " + in_quotes(value) + " for -" + std::string(which.name) +
                                  ": " + std::string(parse_trouble)};
            }
            break;
        case flag_kind::number:
            if (auto read = read_number(value); !read) return wrong_value(value, which.name, read.error());
            break;
        case flag_kind::decimal:
            if (!read_decimal(value)) return wrong_value(value, which.name, parse_trouble);
            break;
        case flag_kind::text:
        case flag_kind::texts: break;
    }
    auto& all = given_[std::string(which.name)];
    if (which.kind != flag_kind::texts) all.clear();
    all.push_back(std::move(value));
    return {};
}

bool flag_values::given(std::string_view name) const { return given_.find(name) != given_.end(); }

std::string flag_values::text(std::string_view name) const {
    const flag* which = find_flag(name);
    SLUICE_ASSERT(which != nullptr);
    const auto found = given_.find(name);
    return found == given_.end() ? std::string(which->preset) : found->second.back();
}

std::vector<std::string> flag_values::texts(std::string_view name) const {
    const auto found = given_.find(name);
    return found == given_.end() ? std::vector<std::string>{} : found->second;
}

bool flag_values::on(std::string_view name) const { return read_boolean(text(name)).value_or(false); }

std::int64_t flag_values::number(std::string_view name) const {
    const auto value = read_number(text(name));
    return value ? *value : 0;
}

double flag_values::decimal(std::string_view name) const { return read_decimal(text(name)).value_or(0.0); }

std::string usage_text() {
    std::string all = "Usage of gh-ost:\n";
    for (const flag& each : all_flags()) {
        all += "  -" + std::string(each.name) + std::string(kind_word(each.kind)) + "\n    \t";
        if (each.meaning == flag_meaning::noted) all += "accepted, but changes nothing: ";
        if (each.meaning == flag_meaning::refused) all += "not available: ";
        all += each.text;
        if (!each.preset.empty()) all += " (default " + std::string(each.preset) + ")";
        all += '\n';
    }
    return all;
}

}  // namespace sluice::ghost

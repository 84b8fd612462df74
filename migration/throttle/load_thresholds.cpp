#include "migration/throttle/load_thresholds.hpp"

#include <algorithm>
#include <charconv>

namespace sluice::migration {
namespace {

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

bool is_status_name(std::string_view name) {
    return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
    });
}

}  // namespace

result<load_thresholds, std::string> parse_load_thresholds(std::string_view text) {
    load_thresholds all;
    text = trimmed(text);
    while (!text.empty()) {
        const std::size_t comma = text.find(',');
        const std::string_view condition = trimmed(text.substr(0, comma));
        text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
        const std::size_t equals = condition.find('=');
        if (equals == std::string_view::npos || condition.find('=', equals + 1) != std::string_view::npos) {
            return "Error parsing load condition: " + std::string(condition);
        }
        const std::string_view name = trimmed(condition.substr(0, equals));
        const std::string_view digits = trimmed(condition.substr(equals + 1));
        if (!is_status_name(name)) {
            return "Error parsing status variable in load condition: " + std::string(condition);
        }
        std::int64_t limit = 0;
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), limit);
        if (error != std::errc{} || end != digits.data() + digits.size()) {
            return "Error parsing numeric value in load condition: " + std::string(condition);
        }
        std::erase_if(all, [name](const load_threshold& t) { return t.variable == name; });
        all.push_back({std::string(name), limit});
    }
    return all;
}

std::string to_string(const load_thresholds& thresholds) {
    load_thresholds sorted = thresholds;
    std::sort(sorted.begin(), sorted.end(),
              [](const load_threshold& a, const load_threshold& b) { return a.variable < b.variable; });
    std::string text;
    for (const load_threshold& t : sorted) {
        text += (text.empty() ? "" : ",") + t.variable + "=" + std::to_string(t.limit);
    }
    return text;
}

}  // namespace sluice::migration

#include "proxy/main/ghost/conf_file.hpp"

#include "migration/throttle/load_thresholds.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <string_view>

namespace sluice::ghost {
namespace {

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n";
    const auto first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::string from_environment(const std::string& text) {
    if (!text.starts_with("${") || !text.ends_with('}')) return text;
    const char* value = std::getenv(text.substr(2, text.size() - 3).c_str());
    return value == nullptr ? "" : value;
}

result<void, std::string> take(conf_values& found, std::string_view section, std::string_view key,
                               const std::string& value) {
    if (section == "[client]" && key == "user") found.user = from_environment(value);
    if (section == "[client]" && key == "password") found.password = from_environment(value);
    if (section != "[osc]") return {};
    if (key == "max_load") found.max_load = value;
    std::optional<std::int64_t>* number = key == "chunk_size"       ? &found.chunk_rows
                                          : key == "max_lag_millis" ? &found.max_lag_ms
                                                                    : nullptr;
    if (number == nullptr) return {};
    std::int64_t read = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), read);
    if (error != std::errc{} || end != value.data() + value.size()) {
        return "Unable to read " + std::string(key) + " of [osc]: it must be a whole number, not " + value;
    }
    *number = read;
    return {};
}

void add(migration::option_changes& changes, std::string_view name) {
    const migration::option_field* field = migration::find_option_field(name);
    SLUICE_ASSERT(field != nullptr);
    changes.fields.push_back(field);
}

}  // namespace

result<conf_values, std::string> read_conf(const std::string& file) {
    std::ifstream in(file);
    if (!in) return "cannot read --conf " + file;
    conf_values found;
    std::string section;
    for (std::string line; std::getline(in, line);) {
        const std::string_view text = trimmed(line);
        if (text.empty() || text[0] == '#' || text[0] == ';') continue;
        if (text[0] == '[') {
            section = text;
            continue;
        }
        const auto equals = text.find('=');
        if (equals == std::string_view::npos) continue;
        std::string_view value = trimmed(text.substr(equals + 1));
        const bool quoted = value.size() >= 2 && (value[0] == '"' || value[0] == '\'') && value.back() == value[0];
        if (quoted) value = value.substr(1, value.size() - 2);
        auto taken = take(found, section, trimmed(text.substr(0, equals)), std::string(value));
        if (!taken) return "--conf " + file + ": " + taken.error();
    }
    return found;
}

result<migration::option_changes, std::string> changes_of(const conf_values& conf) {
    migration::option_changes changes;
    if (conf.chunk_rows) {
        changes.values.chunk_rows_fixed =
            static_cast<std::size_t>(std::clamp<std::int64_t>(*conf.chunk_rows, 10, 100'000));
        add(changes, "chunk_rows_fixed");
    }
    if (conf.max_load) {
        SLUICE_TRY(const auto load, migration::parse_load_thresholds(*conf.max_load));
        changes.values.max_load = to_string(load);
        add(changes, "max_load");
    }
    if (conf.max_lag_ms) {
        changes.values.max_lag = std::chrono::milliseconds(std::clamp<std::int64_t>(*conf.max_lag_ms, 100, 3'600'000));
        add(changes, "max_lag_ms");
    }
    return changes;
}

}  // namespace sluice::ghost

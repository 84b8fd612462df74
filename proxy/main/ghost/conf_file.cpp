#include "proxy/main/ghost/conf_file.hpp"

#include "migration/throttle/load_thresholds.hpp"
#include "proxy/main/ghost/trimmed.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <string_view>

namespace sluice::ghost {
namespace {

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

result<migration::option_changes, std::string> changes_of(const conf_values& conf, const said_by_flags& flags,
                                                          std::vector<std::string>& notes) {
    const auto within = [&notes](const char* key, std::int64_t given, std::int64_t min, std::int64_t max) {
        const std::int64_t taken = std::clamp(given, min, max);
        if (taken != given) {
            notes.push_back("--conf: " + std::string(key) + " = " + std::to_string(given) + ": it is " +
                            std::to_string(min) + " to " + std::to_string(max) + " here, and so " +
                            std::to_string(taken));
        }
        return taken;
    };
    migration::option_changes changes;
    if (conf.chunk_rows && !flags.chunk_rows) {
        changes.values.chunk_rows_fixed = static_cast<std::size_t>(within("chunk_size", *conf.chunk_rows, 10, 100'000));
        add(changes, "chunk_rows_fixed");
    }
    if (conf.max_load && !flags.max_load) {
        SLUICE_TRY(const auto load, migration::parse_load_thresholds(*conf.max_load));
        changes.values.max_load = to_string(load);
        add(changes, "max_load");
    }
    if (conf.max_lag_ms && !flags.max_lag) {
        changes.values.max_lag = std::chrono::milliseconds(within("max_lag_millis", *conf.max_lag_ms, 100, 3'600'000));
        add(changes, "max_lag_ms");
    }
    return changes;
}

}  // namespace sluice::ghost

#include "proxy/main/command/option_arguments.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <functional>
#include <string_view>

namespace sluice {

boost::json::object option_arguments::to_json() const {
    boost::json::object options;
    for (const auto& [name, value] : numbers) options[name] = value;
    for (const auto& [name, value] : flags) options[name] = value;
    for (const auto& [name, value] : texts) options[name] = value;
    return options;
}

namespace {

/// chunk_time_target_ms becomes chunk-time-target-ms.
std::string dashed(std::string_view field) {
    std::string name(field);
    std::replace(name.begin(), name.end(), '_', '-');
    return name;
}

/// --x and --no-x; the second one is told in the help of the first.
void add_flag(CLI::App& command, option_arguments& arguments, const migration::option_field& field, const char* group) {
    const std::string name(field.name);
    const std::string typed = dashed(field.name);
    const auto set = [&arguments, name, typed](bool value) {
        return [&arguments, name, typed, value](auto) {
            if (arguments.flags.emplace(name, value).second) return;
            throw CLI::ValidationError("--" + typed, "excludes --no-" + typed);
        };
    };
    command.add_flag("--" + typed, set(true), std::string(field.help) + " (or --no-" + typed + ")")->group(group);
    command.add_flag("--no-" + typed, set(false))->group("");
}

void add_number(CLI::App& command, option_arguments& arguments, const migration::option_field& field,
                const char* group) {
    const std::string name(field.name);
    const std::string range = std::to_string(field.min) + "-" + std::to_string(field.max);
    const std::function<void(const std::int64_t&)> set = [&arguments, name](const std::int64_t& n) {
        arguments.numbers[name] = n;
    };
    command.add_option_function("--" + dashed(field.name), set, std::string(field.help))
        ->check(CLI::Range(field.min, field.max, range))
        ->type_name("N")
        ->group(group);
}

void add_text(CLI::App& command, option_arguments& arguments, const migration::option_field& field, const char* group) {
    const auto fits = [&field](const std::string& value) {
        return migration::text_fits(field, value) ? std::string()
                                                  : "must be " + migration::expected_value(field, value);
    };
    const std::function<void(const std::string&)> set =
        [&arguments, name = std::string(field.name)](const std::string& text) { arguments.texts[name] = text; };
    command.add_option_function("--" + dashed(field.name), set, std::string(field.help))
        ->check(fits)
        ->type_name("TEXT")
        ->group(group);
}

}  // namespace

void add_option_argument(CLI::App& command, option_arguments& arguments, const migration::option_field& field,
                         const char* group) {
    switch (field.kind) {
        case migration::option_kind::number: add_number(command, arguments, field, group); break;
        case migration::option_kind::flag: add_flag(command, arguments, field, group); break;
        case migration::option_kind::text: add_text(command, arguments, field, group); break;
    }
}

}  // namespace sluice

#include "proxy/main/ghost/interactive.hpp"

#include "migration/throttle/throttle_settings.hpp"
#include "proxy/main/ghost/trimmed.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <optional>
#include <utility>

namespace sluice::ghost {
namespace {

using migration::migration_options;
struct spoken {
    std::string text;
};
using answer = result<spoken, command_refusal>;

answer say(std::string text) { return spoken{std::move(text)}; }

constexpr const char* throttle_note = "# Note: you may only throttle for as long as your binary logs are not purged\n";

constexpr const char* help_text =
    "available commands:\n"
    "status                               # what is done, with what settings, and how far it is\n"
    "sup                                  # how far it is\n"
    "coordinates                          # where the binary log is read\n"
    "applier                              # the server that is written to\n"
    "inspector                            # the server that is looked at\n"
    "chunk-size=<rows>                    # rows of every chunk\n"
    "dml-batch-size=<keys>                # keys in one transaction of the applier\n"
    "nice-ratio=<ratio>                   # rest after a chunk, as a share of its time: 0 none, 1 as long as the "
    "chunk\n"
    "critical-load=<load>                 # thresholds at which the run ends\n"
    "max-lag-millis=<max-lag>             # lag above which the run throttles\n"
    "max-load=<load>                      # thresholds at which the run throttles\n"
    "throttle-query=<query>               # query whose answer throttles (no quotes)\n"
    "throttle-http=<URL>                  # URL whose answer throttles\n"
    "throttle-control-replicas=<replicas> # replicas whose lag throttles, between commas\n"
    "throttle                             # throttle until told otherwise\n"
    "no-throttle                          # end that (there may be other reasons)\n"
    "postpone-cut-over-flag-file=<path>   # make this file; while it is there the cut-over waits\n"
    "unpostpone                           # cut over, whatever it was to wait for\n"
    "panic                                # end at once and leave the tables\n"
    "help                                 # this list\n"
    "- \"?\" instead of a value shows the present one, as in max-load=?\n";

struct command_line {
    std::string word;
    std::string argument;
    [[nodiscard]] bool asks() const { return argument == "?"; }
};

command_line parse(std::string_view line) {
    const auto equals = line.find('=');
    command_line parsed{std::string(trimmed(line.substr(0, equals))), {}};
    if (equals == std::string_view::npos) return parsed;
    std::string_view argument = trimmed(line.substr(equals + 1));
    const bool quoted = argument.size() >= 2 && argument.front() == argument.back() &&
                        (argument.front() == '"' || argument.front() == '\'' || argument.front() == '`');
    if (quoted) argument = argument.substr(1, argument.size() - 2);
    parsed.argument = std::string(argument);
    return parsed;
}

std::string status(commanded_run& run) { return run.status_hint() + run.status_line() + "\n"; }

/// The ratio as Go prints a float: 0, 0.5, 1.
std::string ratio_text(std::uint32_t percent) {
    char text[32];
    std::snprintf(text, sizeof text, "%g", static_cast<double>(percent) / 100.0);
    return text;
}

result<std::int64_t, command_refusal> whole_number(const std::string& text) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc{} && end == text.data() + text.size()) return value;
    return command_refusal("strconv.Atoi: parsing \"" + text + "\": invalid syntax");
}

result<double, command_refusal> decimal_number(const std::string& text) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc{} && end == text.data() + text.size() && std::isfinite(value)) return value;
    return command_refusal("strconv.ParseFloat: parsing \"" + text + "\": invalid syntax");
}

/// One that shows or sets an option.
struct setting {
    std::string_view word;
    std::string_view field;  ///< of the option
    std::string (*shown)(const migration_options& options);
    result<void, command_refusal> (*set)(migration_options& options, const std::string& text);
    bool throttles = false;  ///< answered with the note
};

using set_result = result<void, command_refusal>;

template <auto Member>
std::string shown_text(const migration_options& options) {
    return options.*Member;
}

template <auto Member>
set_result set_plain(migration_options& options, const std::string& text) {
    options.*Member = text;
    return {};
}

template <auto Member>
set_result set_load(migration_options& options, const std::string& text) {
    const auto load = migration::parse_load_thresholds(text);
    if (!load) return command_refusal(load.error());
    options.*Member = migration::to_string(*load);
    return {};
}

template <auto Member>
std::string shown_number(const migration_options& options) {
    return std::to_string(options.*Member);
}

template <auto Member, std::int64_t Min, std::int64_t Max>
set_result set_number(migration_options& options, const std::string& text) {
    SLUICE_TRY(const std::int64_t value, whole_number(text));
    options.*Member = static_cast<std::size_t>(std::clamp(value, Min, Max));
    return {};
}

std::string shown_lag(const migration_options& options) { return std::to_string(options.max_lag.count()); }

set_result set_lag(migration_options& options, const std::string& text) {
    SLUICE_TRY(const std::int64_t value, whole_number(text));
    options.max_lag = std::chrono::milliseconds(std::clamp<std::int64_t>(value, 100, 3'600'000));
    return {};
}

std::string shown_ratio(const migration_options& options) { return ratio_text(options.nice_percent); }

set_result set_ratio(migration_options& options, const std::string& text) {
    SLUICE_TRY(const double value, decimal_number(text));
    options.nice_percent = static_cast<std::uint32_t>(std::lround(std::clamp(value, 0.0, 100.0) * 100.0));
    return {};
}

set_result set_replicas(migration_options& options, const std::string& text) {
    const auto replicas = migration::parse_replicas(text);
    if (!replicas) return command_refusal(replicas.error());
    options.control_replicas = migration::to_string(*replicas);
    return {};
}

using o = migration_options;

constexpr std::array settings{
    setting{"chunk-size", "chunk_rows_fixed", &shown_number<&o::chunk_rows_fixed>,
            &set_number<&o::chunk_rows_fixed, 10, 100'000>},
    setting{"dml-batch-size", "apply_batch_keys", &shown_number<&o::apply_batch_keys>,
            &set_number<&o::apply_batch_keys, 10, 1'000>},
    setting{"max-lag-millis", "max_lag_ms", &shown_lag, &set_lag},
    setting{"nice-ratio", "nice_percent", &shown_ratio, &set_ratio},
    setting{"max-load", "max_load", &shown_text<&o::max_load>, &set_load<&o::max_load>},
    setting{"critical-load", "critical_load", &shown_text<&o::critical_load>, &set_load<&o::critical_load>},
    setting{"throttle-query", "throttle_query", &shown_text<&o::throttle_query>, &set_plain<&o::throttle_query>, true},
    setting{"throttle-http", "throttle_http", &shown_text<&o::throttle_http>, &set_plain<&o::throttle_http>, true},
    setting{"throttle-control-replicas", "control_replicas", &shown_text<&o::control_replicas>, &set_replicas},
};

answer show_or_set(const setting& which, const command_line& line, commanded_run& run) {
    migration_options options = run.options();
    if (line.asks()) return say(which.shown(options) + "\n");
    SLUICE_TRY_VOID(which.set(options, line.argument));
    const migration::option_field* field = migration::find_option_field(which.field);
    SLUICE_ASSERT(field != nullptr);
    if (field->kind == migration::option_kind::text && !migration::text_fits(*field, field->get_text(options))) {
        return command_refusal(std::string(which.word) + " must be " + migration::expected_value(*field));
    }
    migration::option_changes changes{options, {field}};
    SLUICE_TRY_VOID(run.change(changes));
    std::string text;
    if (which.throttles) text = throttle_note;
    if (which.word == "throttle-control-replicas") text = options.control_replicas + "\n";
    return say(text + status(run));
}

/// Commands that may name the table, so that a wrong one is not hit.
set_result check_name(const command_line& line, const commanded_run& run, const char* word) {
    if (line.argument.empty() || line.argument == run.table()) return {};
    return command_refusal("user commanded '" + std::string(word) + "' on " + line.argument +
                           ", but migrated table is " + run.table() + "; ignoring request");
}

answer force_throttle(const command_line& line, commanded_run& run, bool on) {
    SLUICE_TRY_VOID(check_name(line, run, on ? "throttle" : "no-throttle"));
    SLUICE_TRY_VOID(run.throttle(on));
    return say((on ? throttle_note : "") + status(run));
}

answer unpostpone(const command_line& line, commanded_run& run, const command_rules& rules) {
    if (line.argument.empty() && rules.name_for_cutover) {
        return say("user commanded 'unpostpone' without specifying table name, but --force-named-cut-over is set\n");
    }
    SLUICE_TRY_VOID(check_name(line, run, "unpostpone"));
    if (!run.is_postponing()) {
        return say("You may only invoke this when gh-ost is actively postponing migration. At this time it is not\n");
    }
    SLUICE_TRY_VOID(run.unpostpone());
    return say("Unpostponed\n" + status(run));
}

answer panic(const command_line& line, commanded_run& run, const command_rules& rules) {
    if (line.argument.empty() && rules.name_for_panic) {
        return say("user commanded 'panic' without specifying table name, but --force-named-panic is set\n");
    }
    SLUICE_TRY_VOID(check_name(line, run, "panic"));
    const std::string why =
        "user commanded 'panic'. The migration will be aborted without cleanup. Please drop the gh-ost tables before "
        "trying again";
    run.panic(why);
    return say(why + "\n");
}

answer postpone_by(const command_line& line, commanded_run& run) {
    if (line.asks()) return say(run.options().postpone_flag_file + "\n");
    if (line.argument.empty()) {
        return say("user commanded 'postpone-cut-over-flag-file' without specifying file path\n");
    }
    SLUICE_TRY_VOID(run.postpone_by(line.argument));
    return say("Postponed\n" + status(run));
}

bool is_any(const std::string& word, std::initializer_list<std::string_view> words) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

answer obey(const command_line& line, commanded_run& run, const command_rules& rules) {
    SLUICE_TRY_VOID(run.run_hook(line.word));
    const std::string& word = line.word;
    if (word == "help") return say(help_text);
    if (word == "sup") return say(run.status_line() + "\n");
    if (is_any(word, {"status", "info"})) return say(status(run));
    if (word == "coordinates") {
        if (line.argument.empty() || line.asks()) return say(run.coordinates() + "\n");
        return say("coordinates are read-only\n");
    }
    if (word == "applier") return say("Host: " + run.applier() + "\n");
    if (word == "inspector") return say("Host: " + run.inspector() + "\n");
    if (word == "replication-lag-query") {
        return say("replication-lag-query is deprecated. gh-ost uses an internal, subsecond resolution query\n");
    }
    if (word == "cpu-profile") return say("cpu-profile: there is no Go runtime here\n");
    if (is_any(word, {"throttle", "pause", "suspend"})) return force_throttle(line, run, true);
    if (is_any(word, {"no-throttle", "unthrottle", "resume", "continue"})) return force_throttle(line, run, false);
    if (word == "postpone-cut-over-flag-file") return postpone_by(line, run);
    if (is_any(word, {"unpostpone", "no-postpone", "cut-over"})) return unpostpone(line, run, rules);
    if (word == "panic") return panic(line, run, rules);
    for (const setting& each : settings) {
        if (each.word == word) return show_or_set(each, line, run);
    }
    return say("unknown command: " + word + "\n");
}

}  // namespace

std::string answer_command(std::string_view line, commanded_run& run, const command_rules& rules) {
    auto text = obey(parse(line), run, rules);
    return text ? std::move(text).value().text : text.error().text + "\n";
}

}  // namespace sluice::ghost

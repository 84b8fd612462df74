#include "proxy/main/ghost/run_view.hpp"

#include "proxy/main/client/json_fields.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace sluice::ghost {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr double percent = 100.0;
constexpr double eta_percent_min = 0.1;  // before that gh-ost gives none

double progress_percent(const run_view& view) {
    if (view.copied() || view.rows_estimate == 0) return view.copied() || view.copying_begun() ? percent : 0.0;
    return percent * static_cast<double>(view.rows_copied) / static_cast<double>(view.rows_estimate);
}

bool is_postponing(const run_view& view) { return view.state == "ready" && view.postponed; }

template <class Times>
bool is_one_of(const std::string& state, const Times& states) {
    return std::find(states.begin(), states.end(), state) != states.end();
}

/// The engine's words for a cut-over that is postponed, by a command or by a flag file.
bool waits_for_operator(const std::string& waiting_for) {
    return waiting_for.find("the operator's cut-over command") != std::string::npos;
}

double in_seconds(const std::optional<std::chrono::milliseconds>& time) {
    return time ? static_cast<double>(time->count()) / 1000.0 : 0.0;
}

}  // namespace

bool run_view::copied() const {
    constexpr std::array after{"indexing",  "verifying", "ready",     "cutting_over", "in_sync",
                               "reverting", "tidying",   "completed", "reverted"};
    return is_one_of(state, after);
}

bool run_view::copying_begun() const { return state == "copying" || copied(); }

run_view view_of(const migration::migration_snapshot& snapshot) {
    run_view view;
    view.state = std::string(to_string(snapshot.state));
    if (snapshot.spec.kind == migration::run_kind::take_back) {
        // To whoever follows it, it is a run like any other, without a copy.
        using enum migration::migration_state;
        if (snapshot.state == in_sync || snapshot.state == reverting) view.state = "ready";
        if (snapshot.state == reverted) view.state = "completed";
    }
    if (snapshot.way) view.way = std::string(to_string(*snapshot.way));
    view.throttled_by = snapshot.throttled_by;
    view.waiting_for = snapshot.waiting_for;
    view.paused = snapshot.paused;
    view.postponed = snapshot.postponed || waits_for_operator(snapshot.waiting_for);
    view.rows_copied = snapshot.rows_copied;
    view.rows_estimate = snapshot.rows_estimate;
    view.rows_per_s = snapshot.rows_per_s;
    view.applied = snapshot.deltas_applied;
    view.backlog = snapshot.backlog_keys;
    view.backlog_max = snapshot.spec.options.delta_keys_max;
    view.chunk_retries = snapshot.chunk_retries;
    view.last_chunk_error = snapshot.last_chunk_error;
    view.stream = snapshot.stream_file;
    view.lag_s = in_seconds(snapshot.lag);
    view.heartbeat_lag_s = in_seconds(snapshot.heartbeat_lag);
    if (!snapshot.cutover_attempts.empty()) view.cutover_attempts = snapshot.cutover_attempts.back().number;
    if (snapshot.error) {
        view.error = snapshot.error->message;
        view.error_code = snapshot.error->code;
    }
    view.leftovers = snapshot.leftovers;
    return view;
}

run_view view_of(const boost::json::object& migration) {
    run_view view;
    view.state = text_of(migration, "state");
    view.way = text_of(migration, "way");
    view.throttled_by = text_of(migration, "throttled_by");
    view.waiting_for = text_of(migration, "waiting_for");
    view.paused = flag_of(migration, "paused");
    view.postponed = flag_of(migration, "postponed") || waits_for_operator(view.waiting_for);
    view.rows_copied = number_of(migration, "rows_copied");
    view.rows_estimate = number_of(migration, "rows_estimate");
    view.rows_per_s = number_of(migration, "rows_per_s");
    view.applied = number_of(migration, "deltas_applied");
    view.backlog = number_of(migration, "backlog_keys");
    if (const auto* options = object_of(migration, "options")) view.backlog_max = number_of(*options, "delta_keys_max");
    view.chunk_retries = number_of(migration, "chunk_retries");
    view.last_chunk_error = text_of(migration, "last_chunk_error");
    view.stream = text_of(migration, "stream_file");
    view.lag_s = static_cast<double>(number_of(migration, "lag_ms")) / 1000.0;
    view.heartbeat_lag_s = static_cast<double>(number_of(migration, "heartbeat_lag_ms")) / 1000.0;
    view.cutover_attempts = number_of(migration, "cutover_attempts_made");
    if (const auto* error = object_of(migration, "error")) {
        view.error = text_of(*error, "message");
        view.error_code = text_of(*error, "code");
    }
    const auto* leftovers = migration.if_contains("leftovers");
    if (leftovers != nullptr && leftovers->is_array()) {
        for (const auto& table : leftovers->get_array()) {
            if (table.is_string()) view.leftovers.emplace_back(table.get_string());
        }
    }
    return view;
}

void run_clock::look(const run_view& view, time now) {
    if (!copy_began_ && view.copying_begun()) copy_began_ = now;
    if (!copy_ended_ && view.copied()) copy_ended_ = now;
}

nanoseconds run_clock::copy(time now) const {
    return copy_began_ ? copy_ended_.value_or(now) - *copy_began_ : nanoseconds(0);
}

std::string duration_text(nanoseconds time) {
    const auto whole = std::chrono::floor<seconds>(time).count();
    if (whole <= 0) return "0s";
    std::string text;
    if (whole >= 3600) text += std::to_string(whole / 3600) + "h";
    if (whole >= 60) text += std::to_string(whole / 60 % 60) + "m";
    return text + std::to_string(whole % 60) + "s";
}

eta eta_of(const run_view& view, nanoseconds copy_time) {
    if (is_postponing(view)) return {"due", 0};
    const double part = progress_percent(view);
    if (part >= percent) return {"due", 0};
    if (part < eta_percent_min || view.rows_copied == 0) return {"N/A", std::nullopt};
    const double left = static_cast<double>(view.rows_estimate) - static_cast<double>(view.rows_copied);
    const double elapsed = std::chrono::duration<double>(copy_time).count();
    const double rate = view.rows_per_s != 0 ? static_cast<double>(view.rows_per_s)
                                             : static_cast<double>(view.rows_copied) / std::max(elapsed, 0.001);
    const auto estimate = static_cast<std::int64_t>(std::max(0.0, left / rate));
    if (estimate == 0) return {"due", 0};
    return {duration_text(seconds(estimate)), estimate};
}

std::string state_text(const run_view& view) {
    if (is_postponing(view)) return "postponing cut-over";
    if (!view.throttled_by.empty()) return "throttled, " + view.throttled_by;
    if (view.paused) return "throttled, commanded by user";
    return "migrating";
}

std::string status_line(const run_view& view, const run_clock& clock, run_clock::time now) {
    // What was copied is the number of rows, once all of them are.
    const std::uint64_t rows = view.copied() ? view.rows_copied : view.rows_estimate;
    char numbers[256];
    std::snprintf(numbers, sizeof numbers, "Copy: %llu/%llu %.1f%%; Applied: %llu; Backlog: %llu/%llu; ",
                  static_cast<unsigned long long>(view.rows_copied), static_cast<unsigned long long>(rows),
                  progress_percent(view), static_cast<unsigned long long>(view.applied),
                  static_cast<unsigned long long>(view.backlog), static_cast<unsigned long long>(view.backlog_max));
    char lags[96];
    std::snprintf(lags, sizeof lags, "Lag: %.2fs, HeartbeatLag: %.2fs, ", view.lag_s, view.heartbeat_lag_s);
    return std::string(numbers) + "Time: " + duration_text(clock.total(now)) + "(total), " +
           duration_text(clock.copy(now)) + "(copy); streamer: " + view.stream + "; " + lags +
           "State: " + state_text(view) + "; ETA: " + eta_of(view, clock.copy(now)).text;
}

bool is_status_second(std::int64_t second, std::optional<std::int64_t> eta_seconds) {
    constexpr std::int64_t minute = 60;
    if (second <= minute || (eta_seconds && *eta_seconds <= minute)) return true;
    if (second <= 3 * minute || (eta_seconds && *eta_seconds <= 3 * minute)) return second % 5 == 0;
    return second % 30 == 0;
}

}  // namespace sluice::ghost

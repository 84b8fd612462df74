#pragma once

// What is shown of a run, wherever it runs: made of the engine's snapshot, or of what the admin port says.

#include "migration/engine/migration_snapshot.hpp"

#include <boost/json/object.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sluice::ghost {

struct run_view {
    std::string state;  ///< the engine's: "copying", "ready", …
    std::string way;    ///< "copy", "instant", "inplace"; empty before that is decided
    std::string throttled_by;
    std::string waiting_for;
    bool paused = false;
    bool postponed = false;  ///< the cut-over waits for the operator, or for a file of his to go away
    std::uint64_t rows_copied = 0;
    std::uint64_t rows_estimate = 0;
    std::uint64_t rows_per_s = 0;
    std::uint64_t applied = 0;
    std::uint64_t backlog = 0;
    std::uint64_t backlog_max = 0;
    std::string stream;  ///< file:position
    double lag_s = 0.0;
    double heartbeat_lag_s = 0.0;
    std::uint64_t chunk_retries = 0;
    std::string last_chunk_error;
    std::uint64_t cutover_attempts = 0;  ///< that have ended
    std::string error;                   ///< empty: none
    std::string error_code;
    std::vector<std::string> leftovers;

    [[nodiscard]] bool copied() const;  ///< the copy is done
    [[nodiscard]] bool copying_begun() const;
    [[nodiscard]] bool completed() const { return state == "completed" || state == "in_sync"; }
    [[nodiscard]] bool failed() const { return state == "failed" || state == "aborted" || state == "reverted"; }
};

[[nodiscard]] run_view view_of(const migration::migration_snapshot& snapshot);
[[nodiscard]] run_view view_of(const boost::json::object& migration);

/// The times of one run, followed by looking at it now and then.
class run_clock {
public:
    using time = std::chrono::steady_clock::time_point;

    explicit run_clock(time begin) : began_(begin) {}
    void look(const run_view& view, time now);
    [[nodiscard]] std::chrono::nanoseconds total(time now) const { return now - began_; }
    [[nodiscard]] std::chrono::nanoseconds copy(time now) const;

private:
    time began_;
    std::optional<time> copy_began_;
    std::optional<time> copy_ended_;
};

/// 0s, 42s, 2h6m30s: Go's form, without fractions.
[[nodiscard]] std::string duration_text(std::chrono::nanoseconds time);

/// "due", "N/A", or a duration. The number of seconds beside it; nothing when unknown.
struct eta {
    std::string text;
    std::optional<std::int64_t> seconds;
};
[[nodiscard]] eta eta_of(const run_view& view, std::chrono::nanoseconds copy_time);

/// "migrating", "postponing cut-over", "throttled, <reason>".
[[nodiscard]] std::string state_text(const run_view& view);

/// "Copy: 30/100 30.0%; Applied: 7; Backlog: 0/1000; Time: 9s(total), 3s(copy); streamer: binlog.000001:154;
/// Lag: 0.05s, HeartbeatLag: 0.10s, State: migrating; ETA: 7s" in one line.
[[nodiscard]] std::string status_line(const run_view& view, const run_clock& clock, run_clock::time now);

/// Whether gh-ost prints a line in this second of the run: each of the first minute, and when less than one is left;
/// then every fifth, then every thirtieth.
[[nodiscard]] bool is_status_second(std::int64_t second, std::optional<std::int64_t> eta_seconds);

}  // namespace sluice::ghost

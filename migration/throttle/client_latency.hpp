#pragma once

// Whether clients wait longer for their statements than they would without the migration: the p99 of a sliding window,
// and a baseline for it from times in which the migration rested. Reports in, figures out; no threads, no clock.
//
// The window reaches back as far as it is told and, where clients say little, further, up to a minute, until it has
// samples_min statements. With fewer nothing is said: idle clients do not suffer. Statements under way count by their
// age, so that clients who are all stuck do not look idle. One statement alone is never taken for the p99.
//
// The baseline is first taken in a rest of a window's length (is_measuring asks for it). It follows the load: down to
// the p99 of the last minute, since whatever clients have with the migration they would have without; up to it only
// after a minute of rest, since then the migration is not the cause. Where clients were idle it is made up for when
// they begin, by another rest; where they never say much, it is the p99 of a minute.

#include "migration/ports/throttle_ports.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

namespace sluice::migration {

struct client_latency_figures {
    std::optional<std::chrono::microseconds> p99;       ///< of the window; nothing: too few statements
    std::optional<std::chrono::microseconds> baseline;  ///< nothing: not known yet
    bool is_measuring = false;                          ///< the migration is to rest for the baseline's sake
};

/// For one thread.
class client_latency {
public:
    using time = std::chrono::steady_clock::time_point;

    static constexpr std::uint64_t samples_min = 50;
    /// How far back anything is remembered, and the age from which on a statement is slow by its own nature.
    static constexpr std::chrono::seconds memory{60};
    /// Reports that lie further apart are of different times: what was remembered is forgotten, but the baseline.
    static constexpr std::chrono::seconds gap_max{5};

    /// Once a second or so. rested: the migration has let the server alone since the last report.
    void add(const latency_report& report, bool rested, std::chrono::milliseconds window, time now);
    [[nodiscard]] const client_latency_figures& figures() const noexcept { return figures_; }

private:
    struct slice {
        time begin;
        bool rested = false;
        std::uint64_t statements = 0;
        std::vector<std::uint32_t> counts;  ///< by the report's bounds
    };

    void remember(const latency_report& report, bool rested, time now);
    [[nodiscard]] std::uint64_t statements_since(time begin) const;
    [[nodiscard]] std::optional<std::chrono::microseconds> p99_since(time begin) const;
    [[nodiscard]] std::optional<std::chrono::microseconds> p99_of_window(time begin) const;
    void follow_load(std::chrono::milliseconds window, time now);
    void measure(std::chrono::milliseconds window, time now);

    std::deque<slice> slices_;
    std::vector<std::chrono::microseconds> bounds_;
    std::vector<std::uint64_t> totals_;  ///< of the last report
    std::vector<latency_count> under_way_;
    std::optional<time> last_;
    std::optional<time> resting_since_;
    std::optional<time> found_idle_;  ///< when a rest was in vain
    client_latency_figures figures_{std::nullopt, std::nullopt, true};
};

}  // namespace sluice::migration

#pragma once

// How soon after an attempt that was given up the next one may begin. Pure values: `now` is told.
//
//   never      before hold_interval has passed since the attempt's end
//   at once    then, when a session that had stood in the way has gone: that begins the count anew
//   otherwise  after hold_interval, doubled with each further attempt that is given up in spite of the whole budget, up
//              to hold_interval_max

#include "migration/ports/traffic_gate.hpp"

#include <chrono>
#include <cstdint>
#include <vector>

namespace sluice::migration {

/// How long attempt `number` (from 1) may wait with the gate closed for what stands in its way, statements in flight
/// and the table's lock: a sixteenth of the hold budget, at least 20 ms, twice as long with each further attempt, at
/// most the budget. On most tables that is plenty; where it is not, a few short holds cost clients less than a single
/// long one.
[[nodiscard]] std::chrono::milliseconds patience_of(std::uint32_t number, std::chrono::milliseconds hold_budget);

/// Belongs to one thread.
class attempt_pace {
public:
    using time_point = std::chrono::steady_clock::time_point;

    struct limits {
        std::chrono::milliseconds interval{5'000};
        std::chrono::milliseconds interval_max{60'000};
    };

    /// blockers: who stood in the way, as seen by the attempt; `old` is the age from which one is believed to have done
    /// so (younger ones come and go on any busy table). in_spite_of_patience: it had the whole budget.
    void given_up(time_point now, const std::vector<gate_blocker>& blockers, std::chrono::milliseconds old,
                  bool in_spite_of_patience);

    /// No attempt before this, whatever happens.
    [[nodiscard]] bool within_interval(time_point now, const limits& within) const;
    /// present: who is there now.
    [[nodiscard]] bool due(time_point now, const limits& within, const std::vector<gate_blocker>& present);
    /// The last attempt was given up because of an old session.
    [[nodiscard]] bool somebody_stood_in_the_way() const { return !stood_in_the_way_.empty(); }
    /// When it is due at the latest.
    [[nodiscard]] time_point due_at_last(const limits& within) const;

private:
    std::uint32_t given_up_in_a_row_ = 0;
    std::uint32_t in_spite_of_patience_in_a_row_ = 0;
    time_point ended_{};
    std::vector<std::uint64_t> stood_in_the_way_;  // connection ids
};

}  // namespace sluice::migration

#pragma once

// Remembers, from one look at the table's users to the next, since when each of them stands in the way. Pure values:
// `now` is told.

#include "migration/ports/traffic_gate.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <vector>

namespace sluice::migration {

/// Belongs to one thread.
class blocker_watch {
public:
    using time_point = std::chrono::steady_clock::time_point;

    /// At each look, with all that it found. Gives those an age whose age the server does not tell: since the first of
    /// the looks that all found them.
    void seen(std::vector<gate_blocker>& blockers, time_point now);

    /// Of those that the last look found, the ones that have been older than `old` in every look for at least `stood`.
    [[nodiscard]] std::vector<gate_blocker> standing(const std::vector<gate_blocker>& blockers,
                                                     std::chrono::milliseconds old, std::chrono::milliseconds stood,
                                                     time_point now);
    /// It was tried to end this one: standing() leaves it out from now on.
    void tried(std::uint64_t connection_id);

private:
    struct place {
        time_point first_seen{};
        time_point old_since = time_point::max();  // max: it has not been old yet
        bool tried = false;
    };
    std::map<std::uint64_t, place> places_;  // by connection id
};

}  // namespace sluice::migration

#include "migration/cutover/blocker_watch.hpp"

#include <algorithm>

namespace sluice::migration {
namespace {

// Ages that the server tells are whole seconds on some of them.
constexpr std::chrono::milliseconds age_error_max{1'100};

}  // namespace

void blocker_watch::seen(std::vector<gate_blocker>& blockers, time_point now) {
    std::map<std::uint64_t, place> present;
    for (gate_blocker& blocker : blockers) {
        place& here = present[blocker.connection_id];
        here.first_seen = now;
        if (const auto before = places_.find(blocker.connection_id); before != places_.end()) {
            // A connection that has begun another transaction since is somebody new.
            const bool same = !blocker.age_is_known || now - blocker.age <= before->second.first_seen + age_error_max;
            if (same) here = before->second;
        }
        if (!blocker.age_is_known) {
            blocker.age = std::chrono::duration_cast<std::chrono::milliseconds>(now - here.first_seen);
        }
    }
    places_ = std::move(present);
}

std::vector<gate_blocker> blocker_watch::standing(const std::vector<gate_blocker>& blockers,
                                                  std::chrono::milliseconds old, std::chrono::milliseconds stood,
                                                  time_point now) {
    std::vector<gate_blocker> found;
    for (const gate_blocker& blocker : blockers) {
        const auto here = places_.find(blocker.connection_id);
        if (here == places_.end() || blocker.age <= old) continue;
        place& since = here->second;
        if (since.old_since == time_point::max()) since.old_since = now;
        if (!since.tried && now - since.old_since >= stood) found.push_back(blocker);
    }
    return found;
}

void blocker_watch::tried(std::uint64_t connection_id) {
    if (const auto here = places_.find(connection_id); here != places_.end()) here->second.tried = true;
}

}  // namespace sluice::migration

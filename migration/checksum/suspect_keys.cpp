#include "migration/checksum/suspect_keys.hpp"

#include <algorithm>
#include <utility>

namespace sluice::migration {

void suspect_keys::add(std::string literals) { suspects_.try_emplace(std::move(literals)); }

suspect_keys::findings suspect_keys::judge(const std::set<std::string>& differing,
                                           const std::set<std::string>& changed) {
    findings found;
    for (auto suspect = suspects_.begin(); suspect != suspects_.end();) {
        const auto& [key, what] = *suspect;
        history& past = suspect->second;
        if (!differing.contains(key)) {
            if (what.repairs != 0) ++found.repaired;
            suspect = suspects_.erase(suspect);
            continue;
        }
        if (changed.contains(key)) {
            if (++past.looks_in_motion >= looks_in_motion_max) {
                ++found.in_motion;
                suspect = suspects_.erase(suspect);
                continue;
            }
        } else if (past.repairs == repairs_max) {
            found.persisting.push_back(key);
        } else {
            ++past.repairs;
            found.to_repair.push_back(key);
        }
        ++suspect;
    }
    // The row of a suspect may bear its key in other bytes by now: a suspect with a past of its own.
    for (const std::string& key : differing) {
        if (!changed.contains(key)) add(key);
    }
    return found;
}

std::vector<std::string> suspect_keys::keys() const {
    std::vector<std::string> all;
    all.reserve(suspects_.size());
    for (const auto& [key, past] : suspects_) all.push_back(key);
    return all;
}

unsigned suspect_keys::looks() const noexcept {
    unsigned most = 0;
    for (const auto& [key, past] : suspects_) most = std::max(most, past.looks_in_motion + past.repairs);
    return most;
}

}  // namespace sluice::migration

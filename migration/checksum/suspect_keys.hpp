#pragma once

// The keys whose rows were found different, and what to think of each after another look. A plain value without locks,
// I/O or time.
//
// Before each look the applier has passed everything that had been committed; after it, everything that was committed
// before the look has been read. A row that still differs and of which the stream shows no change in between is wrong
// for certain. One that has changed in between was caught in flight.

#include "migration/ledger/delta_set.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace sluice::migration {

class suspect_keys {
public:
    /// Looks at a row in flight before it counts as one that changes all the time.
    static constexpr unsigned looks_in_motion_max = 20;
    /// Repairs of a row before its difference counts as one that stays.
    static constexpr unsigned repairs_max = 2;

    /// A key that is known already stays what it is.
    void add(std::string literals);

    struct findings {
        std::vector<std::string> to_repair;   ///< to be carried into the ghost once more
        std::vector<std::string> persisting;  ///< still different after all repairs, and not changed by anybody
        std::uint64_t repaired = 0;           ///< different before a repair, the same now
        std::uint64_t in_motion = 0;          ///< given up as changing all the time
    };
    /// differing: the keys whose rows differ now, new ones among them. changed: those whose rows changed around the
    /// look. What is settled, repaired or given up is forgotten.
    findings judge(const std::set<std::string>& differing, const std::set<std::string>& changed);

    [[nodiscard]] bool empty() const noexcept { return suspects_.empty(); }
    [[nodiscard]] std::size_t size() const noexcept { return suspects_.size(); }
    [[nodiscard]] std::vector<std::string> keys() const;
    /// Looks that the oldest suspect has had.
    [[nodiscard]] unsigned looks() const noexcept;

private:
    struct history {
        unsigned looks_in_motion = 0;
        unsigned repairs = 0;
    };
    std::map<std::string, history> suspects_;
};

}  // namespace sluice::migration

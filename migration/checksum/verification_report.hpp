#pragma once

// What the comparison of original and ghost has found: an immutable value, part of a migration's snapshot.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sluice::migration {

/// Counts of one pass over both tables.
struct pass_counts {
    std::uint64_t rows_counted = 0;    ///< rows of the original
    std::uint64_t rows_compared = 0;   ///< of these, found the same in the ghost, at the latest after a repair
    std::uint64_t rows_in_motion = 0;  ///< changed each time they were looked at; the applier rewrites them whole
    std::uint64_t rows_repaired = 0;   ///< different although nothing of theirs was in flight; the same afterwards
};

struct verification_report {
    std::uint64_t passes = 0;  ///< complete ones
    pass_counts last_pass;
    pass_counts pass_in_hand;
    std::uint64_t rows_repaired = 0;  ///< over all passes
    std::optional<std::chrono::system_clock::time_point> last_pass_ended;
    std::vector<std::string> columns_not_compared;  ///< of the new table: only it has them, or they are generated
};

}  // namespace sluice::migration

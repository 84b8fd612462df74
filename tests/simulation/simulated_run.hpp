#pragma once

// One seed: clients at work, a migration (or a group of them) that has copied and follows the log, attempts to cut over
// with whatever goes wrong, and at the end the books.

#include <cstdint>
#include <string>

namespace sluice::simulation {

struct run_result {
    std::string violation;  ///< empty: every invariant held
    unsigned swapped = 0;
    unsigned given_up = 0;
    unsigned unknown = 0;
    unsigned failed = 0;
    bool group = false;
    bool sentry = false;
};

run_result run_seed(std::uint64_t seed, bool traced);

}  // namespace sluice::simulation

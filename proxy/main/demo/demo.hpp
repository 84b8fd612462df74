#pragma once

// `sluice demo`: a throwaway MySQL, a real `sluice serve` in front of it, clients that write through it and keep books,
// and a migration with its cut-over; then the report. Nothing is left behind.

#include <cstdint>

namespace sluice {

struct demo_options {
    std::uint64_t rows = 300'000;          ///< of the table; 1 000 … 10 000 000
    unsigned connections = 8;              ///< of the load; 1 … 256
    double statements_per_second = 1'500;  ///< of all connections together; 0: as fast as they can
    unsigned before_s = 5;                 ///< seconds of load before the migration and after the cut-over; 1 … 600
};

/// Exit code ok when the migration completed, no client saw an error and the books are equal; failure otherwise.
int run_demo(const demo_options& options);

}  // namespace sluice

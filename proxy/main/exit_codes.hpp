#pragma once

// What `sluice` tells its caller when it ends. Documented in `sluice --help`; programs rely on the numbers.

namespace sluice::exit_code {

inline constexpr int ok = 0;
inline constexpr int failure = 1;           ///< it was tried and did not work
inline constexpr int usage = 2;             ///< wrong command line or configuration; nothing was tried
inline constexpr int unreachable = 3;       ///< nobody answers at the admin port
inline constexpr int migration_failed = 4;  ///< the migration waited for has failed or was aborted

}  // namespace sluice::exit_code

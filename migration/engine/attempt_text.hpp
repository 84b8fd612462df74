#pragma once

// A cut-over's report in words, one line each, for the log. Pure functions.

#include "migration/engine/migration_snapshot.hpp"

#include <string>

namespace sluice::migration {

/// "cut-over attempt 2 given up: …; 14 statements held for 0.9 / 61.0 / 61.2 ms (p50 / p99 / longest); steps in us:
/// close 80, drain 333401, open 71; in the way: …".
[[nodiscard]] std::string attempt_line(const cutover_attempt& attempt);

/// "connection 12 of app@10.0.0.7 … was killed: it stood in the way of the cut-over".
[[nodiscard]] std::string kill_line(const blocker_kill& kill);

}  // namespace sluice::migration

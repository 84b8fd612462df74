#pragma once

// A migration's attempts to cut over, as rows. Pure functions.

#include "admin/show_answers.hpp"
#include "migration/engine/migration_snapshot.hpp"

#include <string>

namespace sluice::admin {

/// SHOW MIGRATION CUTOVERS: a row for each attempt that is remembered, oldest first; several blockers, steps or kills
/// stand in one cell, separated by "; ".
[[nodiscard]] text_table cutovers_table(const migration::migration_snapshot& snapshot);

/// "close 80 us, drain 1204 us, …".
[[nodiscard]] std::string steps_text(const migration::cutover_attempt& attempt);

/// Of a kill: who, and whether it could be done.
[[nodiscard]] std::string kill_text(const migration::blocker_kill& kill);

}  // namespace sluice::admin

#pragma once

// Which table is which? Asked after the connection was lost around the swap, after an attempt by two sessions, and
// after a restart.

#include "migration/apply/server_position.hpp"
#include "migration/model/failure.hpp"
#include "migration/model/migration_plan.hpp"
#include "migration/model/swap_names.hpp"
#include "migration/ports/clock.hpp"

#include <span>

namespace sluice::migration {

/// Before a swap, with the names that the tables have outside of an attempt: the ghost must be there, and what the old
/// table is to be called must be free, or settle_swap() could not tell any more. "no_such_table", and
/// "old_table_name_taken", when somebody else has been at work.
outcome<void> check_swap_names(const statement_runner& run, const migration_plan& names);

enum class swap_state {
    not_swapped,  ///< the ghost still is a table of its own
    swapped,      ///< the ghost has become the table, and the old table bears its `_del` name
    neither,      ///< there is no ghost and no old table: nothing was begun, or somebody tidied by hand
};

/// The swap is one atomic statement, and the old table's name is free before it (a precondition of every migration):
/// the existence of the tables alone tells.
///
/// Without names.rename_under_lock (the swap by two sessions, cutover/sentry_swap) it also ends a rename that is still
/// pending, and gives the tables back the names that they have outside of an attempt; the sentry is dropped. Of `names`
/// only the names and rename_under_lock are looked at. May be repeated after any failure.
///
/// group: of all tables that one RENAME was to swap, this one among them; empty for one alone. Some servers (MySQL 5.x)
/// rename table after table, and one that dies in between leaves originals without a table of their name: it makes
/// all of them new, if one is, and otherwise all of them old.
outcome<swap_state> settle_swap(const statement_runner& run, const migration_plan& names, clock& time = real_clock(),
                                std::span<const swap_names> group = {});

}  // namespace sluice::migration

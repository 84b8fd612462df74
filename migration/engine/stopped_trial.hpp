#pragma once

// A trial on a replica (server_roles::replication) stops replication for its swap. That it did so stands in the
// changelog from before: a process that is killed then leaves replication stopped, and maybe the tables swapped, and
// the next one can tell that from what an operator has stopped. Any thread, with a session of its own.

#include "migration/apply/server_position.hpp"
#include "migration/model/failure.hpp"
#include "migration/model/migration_plan.hpp"
#include "migration/model/migration_spec.hpp"
#include "migration/ports/sql_executor.hpp"

#include <optional>
#include <string>

namespace sluice::migration {

struct stopped_trial {
    std::string lock;       ///< the user-level lock that its process holds: lock_of_table()
    std::string old_table;  ///< what the table is called while the tables are swapped, in the table's schema
};

/// Before replication is stopped, and after it was started again.
outcome<void> note_stopped(const statement_runner& run, const table_name& changelog, const stopped_trial& trial);
outcome<void> forget_stopped(const statement_runner& run, const table_name& changelog);

/// Whether a trial of this table has stopped replication; nothing: there is no changelog, or it does not say so.
outcome<std::optional<stopped_trial>> find_stopped_trial(const statement_runner& run, const migration_spec& spec);

/// Swaps the tables back if they are swapped. Of `names` only those are looked at, and rename_under_lock. May be
/// repeated after any failure; run must not do that by itself, since a rename that has been done is refused.
outcome<void> swap_tables_back(const statement_runner& run, const migration_plan& names);

/// Makes the table what it was before the trial. "running_elsewhere": its process still lives. Replication is the
/// caller's to start.
outcome<void> undo_trial(sql_session& session, const migration_spec& spec, const stopped_trial& trial);

}  // namespace sluice::migration

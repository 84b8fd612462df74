#pragma once

// What a cut-over does for triggers and foreign keys, in the order of the functions. All of it happens while original,
// ghost and plan.relations.related_tables are locked by this session; docs/relations.md tells why.
//
// What must not be forgotten works from what the server says, not from what was planned: it may be repeated, from any
// session, and after a crash.

#include "migration/model/failure.hpp"
#include "migration/model/migration_plan.hpp"
#include "migration/ports/sql_executor.hpp"

namespace sluice::migration {

/// "original_changed" if the triggers of the original, or the foreign keys of it and to it, are not those of the plan.
outcome<void> check_relations_unchanged(sql_session& session, const migration_plan& plan);

/// Makes the triggers on plan.ghost. Everything must have been applied: from now on a write to the ghost fires them.
outcome<void> make_triggers(sql_session& session, const migration_plan& plan);

/// Before the swap, with everything in the ghost: its triggers, its own foreign keys, and those of other tables to it.
outcome<void> relate_ghost(sql_session& session, const migration_plan& plan);

/// Takes back whatever relate_ghost() has made of it. The applier may write to the ghost only after this.
outcome<void> release_ghost(sql_session& session, const migration_plan& plan);

/// After the swap: the old table gets rid of its foreign keys and of those to it, which would hold up changes of other
/// tables; where the session still holds the locks (named), the new table's keys get the old names.
/// A key to the old table stays if its table has none like it to the new one.
outcome<void> release_old_table(sql_session& session, const migration_plan& plan, bool under_lock);

/// Drops every trigger of a ghost.
outcome<void> drop_ghost_triggers(sql_session& session, const table_name& ghost);

}  // namespace sluice::migration

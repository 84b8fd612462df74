#pragma once

// A migration without the migration: every check, the mapping and the way that would be taken, found out on an empty
// copy of the table by a name of its own (`_t_dry`), which is dropped at the end. The original is only read.

#include "migration/engine/state_store.hpp"
#include "migration/model/alter_forecast.hpp"
#include "migration/model/failure.hpp"
#include "migration/ports/server_roles.hpp"
#include "migration/ports/sql_executor.hpp"

namespace sluice::migration {

/// Refuses with the codes of a real run. What a real run would first drop (drop_leftovers) is left alone and told.
/// Takes seconds, not longer than the server's lock waits; leaves nothing behind. Thread-safe; one at a time for one
/// table.
outcome<alter_forecast> dry_run(sql_executor& executor, const state_store& store, const migration_spec& spec,
                                const server_roles& roles = {});

}  // namespace sluice::migration

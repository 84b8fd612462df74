#pragma once

// Duplicates on a unique key of the ghost: on the identifying key it means that copy and apply met at a row; on another
// one, a value in motion between rows, or rows that really collide under the new definition.

#include "migration/ledger/work_ledger.hpp"
#include "migration/model/failure.hpp"
#include "migration/model/migration_plan.hpp"
#include "migration/ports/reconnecting_session.hpp"

#include <optional>
#include <string>

namespace sluice::migration {

/// The name of the ghost's key that a "duplicate_entry" failure speaks of; nullopt for other failures.
[[nodiscard]] std::optional<std::string> duplicate_key_of(const migration_plan& plan, const failure& why);

/// The failure that ends the migration: "unique_key_conflict", naming key, value and table.
[[nodiscard]] failure unique_key_conflict(const migration_plan& plan, const failure& why);

/// Waits until every change that is committed now has been read and applied, so that values in motion have arrived.
/// A wait that takes too long is no error: the caller's attempts are counted.
outcome<void> catch_up(const migration_plan& plan, work_ledger& ledger, reconnecting_session& session);

}  // namespace sluice::migration

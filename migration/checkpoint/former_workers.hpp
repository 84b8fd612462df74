#pragma once

// Copy and apply workers of a process that is gone may still be at work on the server: a statement that runs there does
// not end with its client, and a chunk with an old snapshot would bring deleted rows back behind the changes that the
// next process applies. Each worker's connection therefore holds a user-level lock whose name a later process knows.

#include "migration/model/failure.hpp"
#include "migration/model/table_description.hpp"
#include "migration/ports/clock.hpp"
#include "migration/ports/sql_executor.hpp"

#include <cstddef>
#include <string>

namespace sluice::migration {

/// The lock of a worker's connection. run: migration_plan::run. kind: 'c' copies, 'a' applies, 'i' builds indexes (one
/// alone). place: 0 … 31.
[[nodiscard]] std::string life_lock_of(const std::string& run, char kind, std::size_t place);

/// The lock that says whose a table is: of all processes that would alter it, one holds it.
[[nodiscard]] std::string lock_of_table(const table_name& table);

/// Ends every connection of a worker of this run, and returns when none is left on the server. "former_worker_lives",
/// disposition retry, when one is still there after a minute.
outcome<void> end_former_workers(sql_session& session, const std::string& run, clock& time = real_clock());

}  // namespace sluice::migration

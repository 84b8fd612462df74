#pragma once

// When a row cannot become a row of the ghost without losing something: which row, which value, how far the work was.
// The server's message names neither; the row is found by trying ever fewer keys, each trial rolled back.

#include "migration/ledger/work_ledger.hpp"
#include "migration/model/failure.hpp"
#include "migration/model/migration_plan.hpp"
#include "migration/ports/sql_executor.hpp"
#include "migration/sql/copy_statements.hpp"

#include <span>
#include <string>

namespace sluice::migration {

/// The failure speaks of a value that the new definition does not take: unique_key_conflict (here still
/// duplicate_entry), data_truncated, out_of_range, null_not_allowed, invalid_value, zero_date, check_violated,
/// no_partition.
[[nodiscard]] bool is_value_loss(const failure& why);

/// The failure with its stable code and, for people, what it means; the row is not looked for. For a session under LOCK
/// TABLES, which can try nothing.
[[nodiscard]] failure value_loss(const migration_plan& plan, const failure& why);

/// Of a chunk, or of a batch of keys: the same with the row's key, the value and the counts. The session must be free
/// for transactions of its own. Where the row is not found (it has changed meanwhile), the message goes without it.
[[nodiscard]] failure value_loss_in_chunk(const migration_plan& plan, sql_session& session, const range_bounds& bounds,
                                          const work_ledger::counters& so_far, const failure& why);
[[nodiscard]] failure value_loss_in_batch(const migration_plan& plan, sql_session& session,
                                          std::span<const std::string> keys, const work_ledger::counters& so_far,
                                          const failure& why);

}  // namespace sluice::migration

#pragma once

// Which turns copy and apply take at the ghost (ledger/write_turns.hpp says why they do).

#include "migration/ledger/write_turns.hpp"
#include "migration/model/failure.hpp"
#include "migration/model/migration_plan.hpp"
#include "migration/ports/sql_executor.hpp"

namespace sluice::migration {

/// Whether two writers could wait for each other in the ghost while they hold share locks on the original: for its
/// AUTO-INC lock, which INSERT … SELECT keeps to its end unless innodb_autoinc_lock_mode is 2 (seen on MySQL 5.6 and
/// MariaDB 10.11), for a value of a second unique key, or for a row that both of them bring. False where reads take no
/// locks. The plan must have its family, lock, descriptions and mapping.
[[nodiscard]] outcome<bool> must_take_turns(sql_session& session, const migration_plan& plan);

/// For one statement that copies a chunk, or a part of it. is_first_attempt: nothing was dispatched under this chunk
/// before. No batch has keys of it then: those formed earlier dropped them, those formed later wait for it. That holds
/// for keys in exact order; with others, and for later attempts, a batch of the same rows may be under way.
[[nodiscard]] turn_kind turn_of_chunk(const migration_plan& plan, bool is_first_attempt) noexcept;

/// For the transaction that applies a batch, to its end.
[[nodiscard]] turn_kind turn_of_batch(const migration_plan& plan) noexcept;

}  // namespace sluice::migration

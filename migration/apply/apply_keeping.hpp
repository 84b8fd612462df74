#pragma once

// Carries a set of keys into a ghost that has columns of its own (copy_columns::kept): apply_batch() for the way back.

#include "migration/apply/apply_batch.hpp"

namespace sluice::migration {

/// As apply_batch(), but always together and in one transaction, under LOCK TABLES too (batch_commit::by_statement):
/// half of it would lose the kept values for good. Rows that are not in the original any more are deleted only where
/// the log has said so (row_key::anew).
outcome<void> apply_keeping(const migration_plan& plan, const statement_runner& run, const std::vector<row_key>& keys,
                            batch_commit commit);

}  // namespace sluice::migration

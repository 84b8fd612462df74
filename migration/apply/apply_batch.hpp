#pragma once

// Carries a set of keys into the ghost: deletes them there, and inserts again what the original holds of them now.

#include "migration/apply/server_position.hpp"
#include "migration/ledger/delta_set.hpp"
#include "migration/model/migration_plan.hpp"

#include <vector>

namespace sluice::migration {

enum class batch_commit {
    own_transaction,  ///< START TRANSACTION … COMMIT; rolled back on failure
    by_statement,     ///< autocommit, for a session under LOCK TABLES, which a transaction would end
};

/// keys: any number; written in steps of at most options.apply_batch_keys keys each, or in one if `together`. A step's
/// statements are cut so that none passes plan.statement_bytes_max or statement_keys_max: all deletes, then all
/// inserts. By statement, what is too large for one transaction ("transaction_too_large") is cut further; otherwise
/// that is the caller's to do. After a failure the ghost may lack some of the keys (by_statement): apply the batch
/// again before relying on it.
outcome<void> apply_batch(const migration_plan& plan, const statement_runner& run, const std::vector<row_key>& keys,
                          batch_commit commit, bool together);

/// One row alone is too large for a transaction: how the migration ends.
[[nodiscard]] failure row_too_large(const migration_plan& plan, failure why);

}  // namespace sluice::migration

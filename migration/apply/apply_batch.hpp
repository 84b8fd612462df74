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

/// keys: any number; written in statements of at most options.apply_batch_keys keys each, or one if `together`.
/// After a failure the ghost may lack some of the keys (by_statement): apply the batch again before relying on it.
outcome<void> apply_batch(const migration_plan& plan, const statement_runner& run, const std::vector<row_key>& keys,
                          batch_commit commit, bool together);

}  // namespace sluice::migration

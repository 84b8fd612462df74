#pragma once

// Applies batches of changed keys to the ghost, and confirms with the server that their transactions are visible.
// Several workers share one ledger; each has its own connection and runs on its own thread.

#include "migration/ledger/work_ledger.hpp"
#include "migration/model/migration_plan.hpp"
#include "migration/ports/reconnecting_session.hpp"
#include "migration/ports/sql_executor.hpp"

namespace sluice::migration {

class apply_worker {
public:
    /// place: of this worker among those of the run, from 0. may_work: see reconnecting_session::live_under().
    apply_worker(const migration_plan& plan, work_ledger& ledger, sql_executor& executor, std::size_t place = 0,
                 std::function<outcome<void>(sql_session&)> may_work = {});

    /// Works until the ledger stops. Failures go to the ledger.
    void run();

private:
    outcome<void> work();
    outcome<void> confirm_visibility();
    outcome<void> apply(const work_ledger::batch& batch);
    outcome<void> recover_from(failure why, const work_ledger::batch& batch);

    const migration_plan& plan_;
    work_ledger& ledger_;
    reconnecting_session session_;
    std::size_t batch_keys_;  ///< fewer than options.apply_batch_keys where rows are too large for a transaction
    unsigned attempts_ = 0;   ///< failed in a row
    unsigned conflicts_ = 0;  ///< unique conflicts in a row
};

}  // namespace sluice::migration

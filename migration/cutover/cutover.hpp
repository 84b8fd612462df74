#pragma once

// One attempt at changing places: close the gate, drain, lock, read the position, apply the last changes, rename, open.
// docs/architecture.md, "The cut-over", gives the steps and why they stand in this order.

#include "migration/engine/migration_snapshot.hpp"
#include "migration/ledger/work_ledger.hpp"
#include "migration/model/migration_plan.hpp"
#include "migration/ports/sql_executor.hpp"
#include "migration/ports/traffic_gate.hpp"

#include <chrono>
#include <memory>
#include <optional>

namespace sluice::migration {

enum class cutover_end {
    swapped,   ///< the new table bears the name
    given_up,  ///< nothing has changed; try again later
    failed,    ///< nothing has changed, and trying again cannot help
    unknown,   ///< the server could not be asked whether the swap took place; batches stay parked
};

struct cutover_outcome {
    cutover_end end = cutover_end::given_up;
    cutover_attempt report;
    std::optional<failure> why;  ///< set for failed and unknown
};

/// Used by the coordinator thread. The sessions are opened anew for each attempt and closed after it: one that held a
/// lock is never used again.
class cutover {
public:
    cutover(const migration_plan& plan, work_ledger& ledger, sql_executor& executor, table_gate& gate);

    /// Blocks for at most about options.hold_budget (longer only if the server does not answer the rename).
    cutover_outcome attempt(std::uint32_t number);

private:
    struct attempt_run;

    const migration_plan& plan_;
    const migration_plan plan_in_attempt_;  ///< with swap names where two sessions change places
    work_ledger& ledger_;
    sql_executor& executor_;
    table_gate& gate_;
};

}  // namespace sluice::migration

#pragma once

// One attempt at changing places: close the gate, drain, lock, read the position, apply the last changes, rename, open.
// docs/architecture.md, "The cut-over", gives the steps and why they stand in this order.
//
// A step is told by its statements (for tests that strike at one):
//   names     RENAME TABLE ghost TO its swap name, CREATE TABLE of the sentry; only where two sessions swap
//   lock      LOCK TABLES
//   position  @@GLOBAL.gtid_executed, or SHOW BINARY LOG STATUS, SHOW MASTER STATUS
//   apply     DELETE, INSERT
//   relations SHOW CREATE TABLE, ALTER TABLE, CREATE TRIGGER
//   rename    RENAME TABLE original TO …; behind it DROP TABLE of the sentry, where there is one
//   open      UNLOCK TABLES

#include "migration/cutover/attempt_surroundings.hpp"
#include "migration/engine/migration_snapshot.hpp"
#include "migration/ledger/work_ledger.hpp"
#include "migration/model/migration_plan.hpp"
#include "migration/ports/sql_executor.hpp"
#include "migration/ports/traffic_gate.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace sluice::migration {

enum class cutover_end {
    swapped,   ///< the new table bears the name
    given_up,  ///< nothing has changed; try again later
    failed,    ///< nothing has changed, and trying again cannot help
    unknown,  ///< the server could not be asked whether the swap took place; batches stay parked, and the gate is to be
              ///< told by open() when that is known
};

struct cutover_outcome {
    cutover_end end = cutover_end::given_up;
    bool tried = true;  ///< false: given up before the first step, no statement was sent
    cutover_attempt report;
    std::optional<failure> why;      ///< set for failed and unknown
    std::optional<std::size_t> who;  ///< the member at whom it failed, where that can be told
};

/// One migration of those that change places together; mostly there is only one. References must outlive the cut-over.
struct cutover_member {
    const migration_plan& plan;
    work_ledger& ledger;
    /// Set by another thread when Sluice is to stop: a server that cannot be reached is then not waited for. May be
    /// null.
    const std::atomic<bool>* stop_requested = nullptr;
    /// The operator has said meanwhile that this one is not to swap now. Asked just before the rename, on the thread
    /// that makes the attempt; may be empty.
    std::function<bool()> told_otherwise{};
};

/// Used by the coordinator thread. The sessions are opened anew for each attempt and closed after it: one that held a
/// lock is never used again.
class cutover {
public:
    /// members: at least one, on one server. gate: in front of the tables of all of them. The hold budget is the
    /// smallest one of theirs.
    cutover(std::vector<cutover_member> members, sql_executor& executor, table_gate& gate,
            attempt_surroundings& around = threaded_surroundings());

    /// Blocks for at most about options.hold_budget (longer only if the server does not answer the rename). What
    /// becomes of it is the same for all members: one statement renames all of them.
    cutover_outcome attempt(std::uint32_t number);

private:
    const std::vector<cutover_member> members_;
    std::vector<std::unique_ptr<migration_plan>> plans_in_attempt_;  ///< with swap names where two sessions swap
    sql_executor& executor_;
    table_gate& gate_;
    attempt_surroundings& around_;
};

}  // namespace sluice::migration

#pragma once

// The swap where the server refuses RENAME TABLE under LOCK TABLES (MySQL before 8.0.13, MariaDB): one session holds
// the lock, another renames and waits for it. It takes place exactly if every change was applied before, because:
//
//  - A RENAME takes the exclusive metadata locks of all its tables in the order of their names' bytes. For the time of
//    the attempt ghost and old table have names behind the original's (artefact_names), so that it waits for the
//    original first, holding nothing. A pending exclusive lock goes before all others but earlier exclusive ones, so
//    from then on no writer can come in between the holder's lock and the rename, whatever becomes of the holder.
//  - Until then a table of ours, the sentry, stands where the old table is to go: a rename that got the lock too early
//    (the holder died, its lock was lost) fails and changes nothing. The holder drops it only after it has seen the
//    rename wait, and only in the session that has the lock.
//  - A rename is killed only as long as the sentry stands, where it could not take place anyhow. MariaDB (10.11.19)
//    parses the triggers of a table that it renames; killed at that moment it takes the rename back and leaves the
//    table with an empty .TRG file: without its triggers, and not to be dropped. Behind the sentry's drop nothing but
//    lock_wait_timeout ends it, which strikes before the server has changed anything.
//
// Source: MySQL internals manual and sql/mdl.cc of 5.6, "MDL_lock::m_waiting_incompatible"; each point is tried on
// 5.6, 9.7 and MariaDB 10.11 by tests/integration/faults/sentry_swap_test.cpp.

#include "migration/cutover/statement_watch.hpp"
#include "migration/model/migration_plan.hpp"
#include "migration/ports/sql_executor.hpp"

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

namespace sluice::migration {

/// Marks the sentry, an empty table: one that is found after a crash may be dropped. A table without it never is.
inline constexpr std::string_view sentry_comment = "sluice: holds a name during a cut-over; empty, may be dropped";

[[nodiscard]] std::string create_sentry_statement(const table_name& name);

/// The plan as it is during such an attempt: ghost and old table under their swap names.
[[nodiscard]] migration_plan with_swap_names(migration_plan plan);

/// One attempt. Used by the coordinator thread; the rename runs on a thread of its own.
class sentry_swap {
public:
    /// plan: with_swap_names(); both arguments must outlive it.
    sentry_swap(const migration_plan& plan, sql_executor& executor);
    ~sentry_swap();
    sentry_swap(const sentry_swap&) = delete;
    sentry_swap& operator=(const sentry_swap&) = delete;

    /// Before the gate closes: connects, makes the sentry, gives the ghost its swap name. The applier must be parked.
    /// usual_ghost: the ghost's name outside of attempts. After a failure, and after every attempt, settle_swap().
    outcome<void> prepare(sql_session& session, const table_name& usual_ghost);

    /// With everything applied and original, ghost and sentry locked by `holder`: the rename. On success the holder has
    /// unlocked. "given_up": nothing has changed, and once the holder unlocks, nothing will. Any other failure:
    /// settle_swap() tells.
    outcome<void> swap(sql_session& holder, std::chrono::steady_clock::time_point deadline);

    /// Waits for the end of the rename, and ends it where the sentry still stands: let the holder unlock before.
    void end();

private:
    void start_rename(std::chrono::steady_clock::time_point deadline);
    outcome<void> see_it_wait(sql_session& holder, std::chrono::steady_clock::time_point deadline);
    [[nodiscard]] bool has_ended();
    outcome<void> result_of_rename();

    const migration_plan& plan_;
    sql_executor& executor_;
    std::unique_ptr<sql_session> renamer_;
    std::unique_ptr<statement_watch> watch_;
    bool let_go_ = false;  ///< the sentry may be gone: the rename is not to be killed any more

    std::mutex mutex_;
    std::condition_variable ended_;
    std::optional<outcome<query_result>> result_;
    std::thread thread_;
};

}  // namespace sluice::migration

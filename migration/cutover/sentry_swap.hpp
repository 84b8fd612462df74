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

#include "migration/cutover/pending_rename.hpp"
#include "migration/model/migration_plan.hpp"
#include "migration/ports/sql_executor.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::migration {

/// Marks the sentry, an empty table: one that is found after a crash may be dropped. A table without it never is.
inline constexpr std::string_view sentry_comment = "sluice: holds a name during a cut-over; empty, may be dropped";

[[nodiscard]] std::string create_sentry_statement(const table_name& name);

/// The plan as it is during such an attempt: ghost and old table under their swap names.
[[nodiscard]] migration_plan with_swap_names(migration_plan plan);

/// How tables change places where the session that holds their locks may not rename them. One attempt; used by the
/// coordinator thread.
class swap_behind_sentry {
public:
    virtual ~swap_behind_sentry() = default;

    /// Before the gate closes: connects, makes the sentry, gives the ghosts their swap names. The appliers must be
    /// parked. session: the one that is going to be the holder. After a failure, and after every attempt,
    /// settle_swap().
    virtual outcome<void> prepare(sql_session& session) = 0;
    /// What the holder locks besides originals and ghosts.
    [[nodiscard]] virtual std::vector<table_name> also_locked() const = 0;
    /// With everything applied, and originals and ghosts locked by `holder`: the rename. On success the holder has
    /// unlocked. "given_up": nothing has changed, and once the holder unlocks, nothing will. Any other failure:
    /// settle_swap() tells.
    /// announce: called once nothing but the rename itself is left to be done; its failure ends the attempt, with
    /// nothing changed.
    virtual outcome<void> change_places(sql_session& holder, std::chrono::steady_clock::time_point deadline,
                                        const std::function<outcome<void>()>& announce) = 0;
    /// False as long as the sentry stands for certain.
    [[nodiscard]] virtual bool may_have_swapped() const = 0;
    /// False once change_places() has begun to let go of the holder's locks.
    [[nodiscard]] virtual bool holder_has_locks() const = 0;
    /// Waits for the end of the rename, and ends it where the sentry still stands: let the holder unlock before.
    virtual void end() = 0;
};

/// For one table.
class sentry_swap final : public swap_behind_sentry {
public:
    /// plan: with_swap_names(); usual_ghost: the ghost's name outside of attempts. All arguments must outlive it.
    sentry_swap(const migration_plan& plan, const table_name& usual_ghost, sql_executor& executor,
                attempt_surroundings& around);

    outcome<void> prepare(sql_session& session) override;
    [[nodiscard]] std::vector<table_name> also_locked() const override { return {plan_.old_table}; }
    outcome<void> change_places(sql_session& holder, std::chrono::steady_clock::time_point deadline,
                                const std::function<outcome<void>()>& announce) override;
    [[nodiscard]] bool may_have_swapped() const override { return may_have_swapped_; }
    [[nodiscard]] bool holder_has_locks() const override { return !unlocking_; }
    void end() override { rename_.end(); }

private:
    const migration_plan& plan_;
    const table_name& usual_ghost_;
    pending_rename rename_;
    bool may_have_swapped_ = false;
    bool unlocking_ = false;
};

}  // namespace sluice::migration

#pragma once

// sentry_swap for several tables in one RENAME. Such a RENAME waits for its tables one after another, in the order of
// their names: when the holder of all locks lets go, a writer could reach the second table before the rename asks for
// it. Therefore:
//
//  1. Another session, the keeper, locks the sentry: of all tables of the rename the one with the last name.
//  2. While the holder still has everything locked, the rename comes to wait for the first table, and a session for
//     each of the others, its guard, asks for LOCK TABLES … WRITE. Pending locks of that kind let no writer pass.
//  3. The holder unlocks. The rename gets the first table and waits for the second, which has gone to its guard; that
//     one unlocks, and so on. At last the rename waits for the keeper alone.
//  4. That it holds everything else is proved, not assumed: the ghost with the last name is ours, it sorts behind every
//     original, and information_schema no longer shows it, so the rename has it exclusively and all before it.
//  5. The position is read once more. If a change came between after all, the streams show it, and the attempt is given
//     up; the sentry has not let the rename take place.
//  6. The keeper drops the sentry, and the rename renames.
//
// Whoever dies before 6, the rename fails on the sentry. Tried on MySQL 5.6.24 and MariaDB 10.11.19, which show a table
// that somebody has locked exclusively to sessions with locks of their own by leaving it out.

#include "migration/cutover/sentry_swap.hpp"
#include "migration/ledger/work_ledger.hpp"

#include <memory>
#include <span>
#include <vector>

namespace sluice::migration {

class group_sentry_swap final : public swap_behind_sentry {
public:
    struct member {
        const migration_plan* plan;  ///< with_swap_names()
        const table_name* usual_ghost;
        work_ledger* ledger;
    };
    /// members: at least two. What they point to, and the others, must outlive it.
    group_sentry_swap(std::vector<member> members, sql_executor& executor, attempt_surroundings& around);
    ~group_sentry_swap() override;
    group_sentry_swap(const group_sentry_swap&) = delete;
    group_sentry_swap& operator=(const group_sentry_swap&) = delete;

    outcome<void> prepare(sql_session& session) override;
    [[nodiscard]] std::vector<table_name> also_locked() const override { return {}; }
    outcome<void> change_places(sql_session& holder, std::chrono::steady_clock::time_point deadline,
                                const std::function<outcome<void>()>& announce) override;
    [[nodiscard]] bool may_have_swapped() const override { return may_have_swapped_; }
    [[nodiscard]] bool holder_has_locks() const override { return !unlocking_; }
    void end() override;

private:
    struct guard {
        table_name table;
        std::unique_ptr<sql_session> session;
        std::unique_ptr<running_statement> locking;  // after the session, which it uses
    };

    outcome<void> place_guards(std::chrono::steady_clock::time_point deadline);
    outcome<void> relieve_guards(std::chrono::steady_clock::time_point deadline);
    outcome<void> see_it_hold(const table_name& table, std::chrono::steady_clock::time_point deadline);
    outcome<void> nothing_came_between(std::chrono::steady_clock::time_point deadline);
    outcome<bool> is_out_of_sight(const table_name& table);

    std::vector<member> members_;  ///< in the order in which the server locks the originals
    sql_executor& executor_;
    attempt_surroundings& around_;
    std::vector<table_name> originals_;
    table_name sentry_;
    table_name last_ghost_;
    std::unique_ptr<sql_session> keeper_;
    std::unique_ptr<sql_session> killer_;
    std::vector<guard> guards_;
    bool may_have_swapped_ = false;
    bool unlocking_ = false;
    pending_rename rename_;  // last of these: ended first
};

}  // namespace sluice::migration

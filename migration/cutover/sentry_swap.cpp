#include "migration/cutover/sentry_swap.hpp"

#include "migration/sql/identifier.hpp"
#include "migration/sql/table_statements.hpp"

#include <array>
#include <utility>

namespace sluice::migration {

using std::chrono::steady_clock;

migration_plan with_swap_names(migration_plan plan) {
    plan.ghost = plan.swap_ghost;
    plan.columns.ghost = plan.swap_ghost;
    plan.ghost_description.name = plan.swap_ghost;
    plan.old_table = plan.swap_old;
    return plan;
}

std::string create_sentry_statement(const table_name& name) {
    return "CREATE TABLE " + quote_table(name) + " (nothing TINYINT) COMMENT = '" + std::string(sentry_comment) + "'";
}

sentry_swap::sentry_swap(const migration_plan& plan, const table_name& usual_ghost, sql_executor& executor,
                         attempt_surroundings& around)
    : plan_(plan), usual_ghost_(usual_ghost), rename_(executor, around) {}

outcome<void> sentry_swap::prepare(sql_session& session) {
    SLUICE_TRY_VOID(check_lock_priority(session));
    SLUICE_TRY_VOID(rename_.connect(plan_.options.hold_budget));
    SLUICE_TRY_VOID(session.run(create_sentry_statement(plan_.old_table)));
    const std::array renames{table_rename{usual_ghost_, plan_.ghost}};
    SLUICE_TRY_VOID(session.run(rename_statement(renames)));
    return {};
}

outcome<void> sentry_swap::change_places(sql_session& holder, steady_clock::time_point deadline,
                                         const std::function<outcome<void>()>& announce) {
    const std::array swaps{table_swap{plan_.original, plan_.ghost, plan_.old_table}};
    rename_.start(swap_statement(swaps), deadline);
    const std::array originals{plan_.original};
    SLUICE_TRY_VOID(rename_.see_it_wait(holder, originals, plan_.lower_case_table_names, deadline));
    SLUICE_TRY_VOID(announce());
    // The point of no return: from here on only the server knows whether the rename takes place, and nothing may be
    // sent to end it. A kill that strikes while it renames costs the table its triggers on MariaDB.
    SLUICE_TRY_VOID(rename_.let_go(deadline));
    may_have_swapped_ = true;
    SLUICE_TRY_VOID(holder.run("DROP TABLE " + quote_table(plan_.old_table)));
    unlocking_ = true;
    // A lost connection unlocks as well: the rename's own answer is what counts.
    (void)holder.run("UNLOCK TABLES").has_error();
    return rename_.result();
}

}  // namespace sluice::migration

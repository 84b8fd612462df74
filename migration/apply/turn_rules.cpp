#include "migration/apply/turn_rules.hpp"

#include <algorithm>

namespace sluice::migration {
namespace {

bool has_another_unique_key(const migration_plan& plan) {
    return std::any_of(
        plan.ghost_description.keys.begin(), plan.ghost_description.keys.end(),
        [&](const key_description& key) { return key.unique && key.name != plan.mapping.key.ghost_index; });
}

bool has_auto_increment(const table_description& table) {
    return std::any_of(table.columns.begin(), table.columns.end(),
                       [](const column_description& column) { return column.auto_increment; });
}

}  // namespace

outcome<bool> must_take_turns(sql_session& session, const migration_plan& plan) {
    if (plan.lock == read_lock::none) return false;
    const shared_key& key = plan.mapping.key;
    if (!key.exactly_ordered || key.may_collide || has_another_unique_key(plan)) return true;
    if (!has_auto_increment(plan.ghost_description)) return false;
    SLUICE_TRY(const query_result shown, session.run("SELECT @@GLOBAL.innodb_autoinc_lock_mode"));
    return shown.rows.empty() || shown.rows[0][0] != "2";
}

turn_kind turn_of_chunk(const migration_plan& plan, bool is_first_attempt) noexcept {
    if (plan.writers_in_turn) return turn_kind::alone;
    const shared_key& key = plan.mapping.key;
    const bool may_meet_a_batch = !key.exactly_ordered || !is_first_attempt;
    return !key.enforced && may_meet_a_batch ? turn_kind::alone : turn_kind::shared;
}

turn_kind turn_of_batch(const migration_plan& plan) noexcept {
    return plan.writers_in_turn ? turn_kind::alone : turn_kind::shared;
}

}  // namespace sluice::migration

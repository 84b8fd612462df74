// What a migration asks of the gate in front of its tables.

#include "migration/engine/migration_run.hpp"
#include "migration/family/lock_holders.hpp"

namespace sluice::migration {

watch_rules migration_run::rules_of_watch() {
    return {.scope = parse_hold_scope(current_.spec.options.hold_scope).value_or(hold_scope::table),
            .ask_transactions = [this] { return transactions_by_isolation(control_); }};
}

}  // namespace sluice::migration

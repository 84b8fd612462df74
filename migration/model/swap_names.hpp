#pragma once

// The names that the tables of one migration bear around a swap by two sessions (cutover/sentry_swap). A plain value.

#include "migration/model/table_description.hpp"

namespace sluice::migration {

struct swap_names {
    table_name original;
    table_name ghost;      ///< outside of an attempt
    table_name old_table;  ///< likewise
    table_name swap_ghost;
    table_name swap_old;

    bool operator==(const swap_names&) const = default;
};

/// plan: anything with these names, such as a migration_plan.
template <class Plan>
[[nodiscard]] swap_names swap_names_of(const Plan& plan) {
    return {plan.original, plan.ghost, plan.old_table, plan.swap_ghost, plan.swap_old};
}

}  // namespace sluice::migration

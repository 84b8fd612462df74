#include "migration/engine/lost_artefact.hpp"

#include "migration/sql/identifier.hpp"

#include <utility>

namespace sluice::migration {

failure name_lost_artefact(failure why, const migration_plan& plan) {
    if (why.code != "no_such_table") return why;
    const auto is_of = [&why](const table_name& table) { return why.message.find(table.table) != std::string::npos; };
    const bool ghost = is_of(plan.ghost) || is_of(plan.swap_ghost);
    if (!ghost && !is_of(plan.changelog)) return why;
    why.code = ghost ? "ghost_lost" : "changelog_lost";
    why.message =
        quote_table(ghost ? plan.ghost : plan.changelog) +
        " was dropped or renamed by somebody else while the migration worked with it (server: " + why.message + "); " +
        quote_table(plan.original) + " is unchanged, start the migration again";
    return why;
}

}  // namespace sluice::migration

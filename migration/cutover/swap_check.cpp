#include "migration/cutover/swap_check.hpp"

#include "migration/sql/identifier.hpp"

namespace sluice::migration {
namespace {

outcome<bool> exists(const statement_runner& run, const table_name& table) {
    SLUICE_TRY(const query_result found,
               run("SELECT 1 FROM information_schema.tables WHERE table_schema = " + quote_string(table.schema) +
                   " AND table_name = " + quote_string(table.table)));
    return !found.rows.empty();
}

}  // namespace

outcome<swap_state> ask_which_table_is_which(const statement_runner& run, const table_name& ghost,
                                             const table_name& old_table) {
    SLUICE_TRY(const bool ghost_exists, exists(run, ghost));
    if (ghost_exists) return swap_state::not_swapped;
    SLUICE_TRY(const bool old_exists, exists(run, old_table));
    return old_exists ? swap_state::swapped : swap_state::neither;
}

}  // namespace sluice::migration

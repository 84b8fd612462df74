#pragma once

// Which table is which? Asked after the connection was lost around the swap, and after a restart.

#include "migration/apply/server_position.hpp"
#include "migration/model/failure.hpp"
#include "migration/model/table_description.hpp"

namespace sluice::migration {

enum class swap_state {
    not_swapped,  ///< the ghost still bears its own name
    swapped,      ///< the ghost has become the table, and the old table bears its `_del` name
    neither,      ///< there is no ghost and no old table: nothing was begun, or somebody tidied by hand
};

/// The swap is one atomic statement, and the old table's name is free before it (a precondition of every migration):
/// its existence alone tells.
outcome<swap_state> ask_which_table_is_which(const statement_runner& run, const table_name& ghost,
                                             const table_name& old_table);

}  // namespace sluice::migration

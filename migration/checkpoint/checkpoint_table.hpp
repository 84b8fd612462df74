#pragma once

// The table `_t_ghk` of a run that has no state schema: the last checkpoint, in a row whose first columns are those of
// gh-ost's table of that name (gh_ost_chk_timestamp, gh_ost_chk_coords, …), for people and scripts that look there.
// gh-ost's columns for the key's bounds are left out; what Sluice goes on by is the column sluice_checkpoint.

#include "migration/apply/server_position.hpp"
#include "migration/checkpoint/checkpoint.hpp"
#include "migration/model/table_description.hpp"

#include <optional>

namespace sluice::migration {

/// An earlier one is dropped: its checkpoints are of another run.
outcome<void> create_checkpoint_table(const statement_runner& run, const table_name& table);
/// Takes the place of the last one.
outcome<void> write_checkpoint(const statement_runner& run, const table_name& table, const checkpoint& value);
/// nullopt where there is no such table, it is empty, or is gh-ost's own.
outcome<std::optional<checkpoint>> read_checkpoint(const statement_runner& run, const table_name& table);

}  // namespace sluice::migration

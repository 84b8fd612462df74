#pragma once

// Carrying rows into a ghost that has columns of its own, whose values must stay with their rows (the way back: columns
// that the ALTER had dropped). Deleting a row and inserting it again would lose them, and an UPDATE row by row fails
// where unique values change places between rows. So the rows come into a temporary table first, get there what the
// ghost keeps of them, and then take the places of the ghost's rows, all in one transaction. Pure functions.

#include "migration/sql/copy_columns.hpp"
#include "migration/sql/copy_statements.hpp"
#include "migration/sql/delta_statements.hpp"

#include <span>
#include <string>
#include <vector>

namespace sluice::migration {

/// The session's temporary table, in the ghost's schema.
[[nodiscard]] table_name incoming_table(const copy_columns& what);

/// Makes it where it is not there. Outside of a transaction (MySQL 5.6 with GTIDs refuses it inside of one).
[[nodiscard]] std::string create_incoming_statement(const copy_columns& what);
[[nodiscard]] std::string empty_incoming_statement(const copy_columns& what);

/// What the original holds under these keys, in the ghost's form.
[[nodiscard]] std::string fill_incoming_statement(const copy_columns& what, std::span<const std::string> keys,
                                                  key_set_form form, read_lock lock);

/// From "incoming" into the ghost, in this order: fetches the kept values, deletes the rows that come again, inserts
/// those with kept values, inserts those without. A row that has left the original stays, until the log says so: it may
/// be on its way to another key.
[[nodiscard]] std::vector<std::string> place_incoming_statements(const copy_columns& what);

}  // namespace sluice::migration

#pragma once

// Keys of selected rows as the strings that the ledger knows them by.

#include "migration/model/failure.hpp"
#include "migration/ports/sql_executor.hpp"
#include "migration/sql/copy_columns.hpp"
#include "migration/sql/copy_statements.hpp"

#include <vector>

namespace sluice::migration {

/// The first cells of a row, as key_select_list() shows them, as literals. is_unsigned: of each key column.
/// "bad_key_value" for a NULL.
[[nodiscard]] outcome<key_literals> key_of_cells(const std::vector<key_column>& key,
                                                 const std::vector<bool>& is_unsigned, const std::vector<cell>& row);

}  // namespace sluice::migration

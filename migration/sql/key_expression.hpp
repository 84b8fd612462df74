#pragma once

// Pieces of statements over the key columns of one of the two tables. Internal to migration/sql.

#include <span>
#include <string>
#include <string_view>

#include "migration/sql/copy_columns.hpp"
#include "migration/sql/delta_statements.hpp"

namespace sluice::migration {

enum class table_side : std::uint8_t { original, ghost };

/// `alias`.`column`, or `column` without an alias.
[[nodiscard]] std::string column_reference(std::string_view alias, std::string_view column);

[[nodiscard]] const std::string& name_on(const key_column& column, table_side side) noexcept;

[[nodiscard]] std::string key_select_list_on(const copy_columns& what, std::string_view alias, table_side side);

/// `schema`.`table` AS `alias` FORCE INDEX (`key`); without AS for an empty alias.
[[nodiscard]] std::string keyed_table(const copy_columns& what, std::string_view alias, table_side side);

/// Condition that the key is one of a set.
[[nodiscard]] std::string key_set_condition(const copy_columns& what, std::span<const std::string> keys,
                                            key_set_form form, std::string_view alias, table_side side);

}  // namespace sluice::migration

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

/// How a value of a key column is selected, so that it comes back exactly as text.
[[nodiscard]] std::string key_selected(key_type type, const std::string& reference);

/// The expression by which a column's value travels into the ghost: the same for copy, apply and comparison.
[[nodiscard]] std::string copied_value(const copied_column& column, std::string_view alias);

[[nodiscard]] std::string key_select_list_on(const copy_columns& what, std::string_view alias, table_side side);

/// `schema`.`table` AS `alias` FORCE INDEX (`key`); without AS for an empty alias.
[[nodiscard]] std::string keyed_table(const copy_columns& what, std::string_view alias, table_side side);

/// INSERT INTO ghost (...) SELECT ..., without FROM. alias: of the original; may be empty.
[[nodiscard]] std::string insert_select(const copy_columns& what, std::string_view alias);

/// Condition of a join: the ghost's row is that of the original's key, for the ghost's index to find and, where the
/// collations differ, for the original's to agree: a row that is equal to the one only is another row.
[[nodiscard]] std::string same_key(const copy_columns& what, std::string_view original, std::string_view ghost);

/// Behind a LEFT JOIN of the ghost ON same_key(): it has no such row.
[[nodiscard]] std::string is_absent(const copy_columns& what, std::string_view original, std::string_view ghost);

/// Condition that the key is one of a set.
[[nodiscard]] std::string key_set_condition(const copy_columns& what, std::span<const std::string> keys,
                                            key_set_form form, std::string_view alias, table_side side);

}  // namespace sluice::migration

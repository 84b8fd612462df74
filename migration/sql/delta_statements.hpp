#pragma once

// The two statements that carry a batch of changed keys into the ghost: delete the keys there, insert them again from
// the original. Values in, text out. Pure functions; safe from any thread.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "migration/sql/copy_columns.hpp"
#include "migration/sql/copy_statements.hpp"

namespace sluice::migration {

/// How a set of composite keys is written. Single-column keys are always col IN (...). row_constructor is a wish: keys
/// for which it would not find the same rows (ENUM, SET, a ghost of another character set) are written as or_of_ands.
enum class key_set_form : std::uint8_t {
    row_constructor,  ///< (a, b) IN ((1,2), (3,4)): the range optimizer reads it since MySQL 5.7.3
    or_of_ands,       ///< (a = 1 AND b = 2) OR (...): MySQL 5.6, and MariaDB, which both scan the index for the former
};

/// What the server plans for a statement takes some hundred bytes of its memory for each key.
inline constexpr std::size_t statement_keys_max = 20'000;

/// keys: at least one; each the literals of one key joined by commas (join_literals() in key_literal.hpp).
[[nodiscard]] std::string delta_delete_statement(const copy_columns& what, std::span<const std::string> keys,
                                                 key_set_form form);
[[nodiscard]] std::string delta_insert_statement(const copy_columns& what, std::span<const std::string> keys,
                                                 key_set_form form, read_lock lock);

/// The ALTER changes the collation of a key column: what is one key to the original may be two to the ghost. A row that
/// changed from 'A' to 'a' then stands under two keys, and each brings it.
[[nodiscard]] bool has_two_equalities(const copy_columns& what) noexcept;

/// For such keys: inserts only rows that the ghost does not have yet, so a row brought under its other key stays.
[[nodiscard]] std::string delta_insert_absent_statement(const copy_columns& what, std::span<const std::string> keys,
                                                        key_set_form form, read_lock lock);

/// The same for a session under LOCK TABLES, which knows no table twice: deletes from the ghost the rows that the
/// original holds now under these keys, to be run between delete and insert.
[[nodiscard]] std::string delta_delete_current_statement(const copy_columns& what, std::span<const std::string> keys,
                                                         key_set_form form);

/// Which of the keys the table `original` (or, if of_ghost, the ghost) holds, as key_select_list() shows them. For
/// naming rows in a conflict report and for verification.
[[nodiscard]] std::string key_lookup_statement(const copy_columns& what, std::span<const std::string> keys,
                                               key_set_form form, bool of_ghost);

}  // namespace sluice::migration

#pragma once

// Which columns of original and ghost are compared, and how two values of each are told apart to the byte. Plain
// values, made once per migration.
//
// A column whose values the ALTER keeps is compared directly. One that it converts, or fills anew, is compared with
// what the server itself makes of the original's row: the rows in hand are inserted into a scratch table (temporary,
// with the ghost's column types) by the same expressions as the copy's, so no conversion is ever judged here.

#include <cstdint>
#include <string_view>
#include <vector>

#include "migration/model/table_description.hpp"
#include "migration/sql/copy_columns.hpp"

namespace sluice::migration {

/// Collations, signs of zero and JSON's equality of 1 and 1.0 would make different values equal. Each form is true only
/// of values that are stored alike, as far as SQL can tell (MariaDB shows no sign of a zero).
enum class comparison_form : std::uint8_t {
    value,     ///< integers, DECIMAL, BIT, temporal: equal values are stored alike
    floating,  ///< FLOAT, DOUBLE: equal, and a zero's sign too
    ordinal,   ///< ENUM, SET, YEAR: the number that is stored, not the text
    json,      ///< equal, with the same text and the same types: 1, 1.0, "1"
    bytes,     ///< everything else: text, binary, geometry, VECTOR
};

struct compared_column {
    copied_column column;
    comparison_form form = comparison_form::bytes;
    bool converted = false;  ///< by way of the scratch table
};

struct comparison_columns {
    copy_columns columns;
    std::vector<compared_column> compared;  ///< all columns that travel; never empty
    std::vector<bool> key_is_unsigned;      ///< of the original's key columns, in key order
    /// The same bounds hold the same rows in both tables, along an index in each. If not, rows that only the ghost has
    /// are looked for along a key of its own.
    bool one_order = true;
    /// Where there is not one order: the ghost in the original's place, with a unique NOT NULL key of its own; its key
    /// is empty when there is none, and then the ghost is read as one range.
    copy_columns ghost_walk;
    std::vector<bool> ghost_key_is_unsigned;  ///< of the key columns of ghost_walk
    table_name scratch;                       ///< no other session sees it
    bool has_json_sizes = false;              ///< the server has JSON_STORAGE_SIZE() (MySQL >= 5.7.22)

    [[nodiscard]] bool converts() const noexcept;
};

/// The descriptions must be those that the columns were made from.
[[nodiscard]] comparison_columns comparison_columns_of(const table_description& original,
                                                       const table_description& ghost, const copy_columns& columns,
                                                       bool has_json_sizes);

/// The ALTER leaves each value of the column as it is, so that original and ghost can be compared directly.
[[nodiscard]] bool keeps_stored_values(const column_description& before, const column_description& after);

[[nodiscard]] comparison_form comparison_form_of(std::string_view data_type);

}  // namespace sluice::migration

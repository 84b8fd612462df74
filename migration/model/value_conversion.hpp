#pragma once

// How a value of the original becomes a value of the ghost, exactly as the server's own ALTER TABLE converts it.
// INSERT … SELECT of a column does not always do what ALTER TABLE does: the latter goes field by field (a FLOAT 1.1
// becomes the text 1.1, not 1.10000002384185), takes the session's time zone for TIMESTAMP, and judges zero dates by
// its sql_mode, but only in columns that it converts. Found by trying every pair of types on MySQL 5.6.24, 9.7 and
// MariaDB 10.11 (tests/integration/migration/conversions_test.cpp). Pure functions; safe from any thread.

#include "migration/model/failure.hpp"
#include "migration/model/table_description.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::migration {

/// What an ALTER TABLE in a new session of this server would go by.
struct conversion_settings {
    std::string time_zone = "+00:00";   ///< a zone that CONVERT_TZ() of this server knows; "+00:00": nothing to convert
    std::string now;                    ///< the time in that zone, as 'YYYY-MM-DD hh:mm:ss.ffffff' without quotes
    bool no_zero_date = false;          ///< zero dates in converted columns are errors (strict and NO_ZERO_DATE)
    bool no_zero_in_date = false;       ///< likewise dates with a zero month or day
    bool text_must_be_integer = false;  ///< MariaDB: '1.5' and '1e3' become no integer
    bool rounds_before_sign = false;    ///< MySQL: a DECIMAL of -0.4 becomes 0 of an unsigned integer
};

/// SQL text around the mentions of the original column; empty: the column as it is; one piece: a constant.
using expression_pieces = std::vector<std::string>;

/// The pieces put together. column: the reference to the original column, ready for use.
[[nodiscard]] std::string expression_of(const expression_pieces& pieces, std::string_view column);

/// "unsupported_conversion" where no expression is exact: the message names the columns and why.
[[nodiscard]] outcome<expression_pieces> conversion_of(const column_description& before,
                                                       const column_description& after,
                                                       const conversion_settings& settings);

/// The DEFAULT is the time of the statement, and nothing else: CURRENT_TIMESTAMP, or the expression now().
[[nodiscard]] bool is_current_timestamp(const column_description& column);

/// What ALTER TABLE gives the rows that exist in a new column: a constant, or nothing where the server fills the column
/// by itself (DEFAULT, NULL, generated, AUTO_INCREMENT). "no_default_value" where the ALTER would fail on rows.
[[nodiscard]] outcome<std::optional<std::string>> value_of_new_column(const column_description& column,
                                                                      const conversion_settings& settings);

}  // namespace sluice::migration

#pragma once

// Compares two tables row for row, every column as the bytes the server holds.

#include "tests/support/sql_connection.hpp"

#include <map>
#include <string>
#include <vector>

namespace sluice::test {

struct table_side {
    sql_connection& connection;
    std::string table;  ///< quoted where needed, schema-qualified: `test`.`t`
};

struct comparison_options {
    /// Columns to compare, by their names; empty: all columns of the left table, in its order.
    std::vector<std::string> columns;
    /// Names on the right side where a column was renamed: {left, right}.
    std::vector<std::pair<std::string, std::string>> renamed;
    /// Key columns (left names), for the order. Must identify a row.
    std::vector<std::string> key;
    /// SQL in place of a column (its left name), where the text of a value does not tell all of it: `f` * 1e0 of a
    /// FLOAT. Of columns that have the same name on both sides.
    std::map<std::string, std::string> expressions;
    std::size_t differences_max = 20;
};

struct comparison {
    std::size_t rows_left = 0, rows_right = 0;
    std::vector<std::string> differences;  ///< first ones; each names the key and both sides' cells

    [[nodiscard]] bool equal() const { return differences.empty() && rows_left == rows_right; }
    [[nodiscard]] std::string text() const;  ///< for a failing test's message
};

/// Holds both tables in memory: for tests' tables, not for large ones. Throws sql_error.
[[nodiscard]] comparison compare_rows(table_side left, table_side right, const comparison_options& options);

}  // namespace sluice::test

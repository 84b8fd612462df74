#pragma once

// The load's statements as text. Names of columns are always given: the table may change its shape at any moment.

#include "bench/load/books.hpp"

#include <optional>
#include <string>
#include <vector>

namespace sluice::load {

inline constexpr const char* column_list = "id, customer, status, amount, note, updated_at";

[[nodiscard]] inline std::string quoted_name(const std::string& table) { return "`" + table + "`"; }

/// INSERT up to and including VALUES.
[[nodiscard]] inline std::string insert_start(const std::string& table) {
    return "INSERT INTO " + quoted_name(table) + " (" + column_list + ") VALUES ";
}

/// None of the texts holds a quote or a backslash.
[[nodiscard]] inline std::string literal(const std::string& text) { return "'" + text + "'"; }

/// The columns besides the key, separated by commas.
[[nodiscard]] inline std::string row_literals(const order_row& row) {
    return std::to_string(row.customer) + "," + literal(status_names[row.status]) + "," +
           amount_text(row.amount_cents) + "," + literal(note_text(row.note)) + "," +
           literal(updated_at_text(row.updated_at_us));
}

using cells = std::vector<std::optional<std::string>>;

/// Whether the columns customer, status, amount, note, updated_at are those of this row, in whatever shape the table
/// now has: a wider DECIMAL shows more zeros at its end.
[[nodiscard]] bool matches(const order_row& expected, const cells& found);
[[nodiscard]] std::string shown(const cells& row);
[[nodiscard]] std::string shown(const maybe_row& row);

}  // namespace sluice::load

#pragma once

// The statements that copy the original into the ghost, chunk by chunk. Values in, text out. Key values are literals
// made by key_literal.hpp, one per key column. Nothing here quotes a value that it did not get as a literal. Pure
// functions; safe from any thread.

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "migration/sql/copy_columns.hpp"

namespace sluice::migration {

/// One literal per key column, in key order.
using key_literals = std::vector<std::string>;

struct range_bounds {
    std::optional<key_literals> lower;  ///< nullopt: from the beginning
    bool lower_inclusive = false;
    std::optional<key_literals> upper;  ///< inclusive; nullopt: to the end
};

enum class read_lock : std::uint8_t {
    none,   ///< MVCC read (GTID servers, after the visibility wait)
    share,  ///< LOCK IN SHARE MODE: waits for prepared rows
};

/// The key columns as they are selected for literal_of_cell(): HEX(col) for text and binary, a number for BIT,
/// ENUM, SET. alias: table alias to qualify with, unquoted; may be empty.
[[nodiscard]] std::string key_select_list(const copy_columns& what, std::string_view alias = {});

/// Condition on the original's key within bounds, "1" for no bounds. A composite bound is spelled out as
/// (a > x) OR (a = x AND b > y), with a >= x beside it, so that every server's range optimizer can use the index.
[[nodiscard]] std::string range_condition(const copy_columns& what, const range_bounds& bounds,
                                          std::string_view alias = {});

/// INSERT INTO ghost ... SELECT ... FROM original over the bounds. skip_present: leave out rows whose key is in the
/// ghost already (anti-join, compared by the server).
[[nodiscard]] std::string copy_chunk_statement(const copy_columns& what, const range_bounds& bounds, read_lock lock,
                                               bool skip_present);

/// The key of the rows-th row within bounds, in key order, or no row if there are fewer. rows >= 1.
[[nodiscard]] std::string chunk_bound_statement(const copy_columns& what, const range_bounds& bounds, std::size_t rows,
                                                read_lock lock = read_lock::none);

/// The least and the greatest key of the original; no row if it is empty. With read_lock::share they wait for rows at
/// the edges that are logged but not yet committed.
[[nodiscard]] std::string range_min_statement(const copy_columns& what, read_lock lock = read_lock::none);
[[nodiscard]] std::string range_max_statement(const copy_columns& what, read_lock lock = read_lock::none);

/// One row if some row of the original has a NULL in the key.
[[nodiscard]] std::string null_key_statement(const copy_columns& what, read_lock lock);

}  // namespace sluice::migration

#pragma once

// What makes a column fit to identify a row, and when an ALTER keeps its values. Pure functions; safe from any thread.

#include "migration/model/table_description.hpp"

#include <cstdint>
#include <string>

namespace sluice::migration {

/// False for FLOAT, DOUBLE, JSON, TEXT, BLOB, spatial, vector and unknown types.
[[nodiscard]] bool is_key_type(const column_description& column);

/// Values of the type compare in the engine exactly as on the server: integers, DATE, DATETIME, TIMESTAMP, BINARY,
/// VARBINARY.
[[nodiscard]] bool is_exactly_ordered(const column_description& column);

/// Different images in the binary log are different values to the server: everything but CHAR and VARCHAR.
[[nodiscard]] bool bytes_are_identity(const column_description& column);

/// Empty if every value of `before` is the same value in `after`, and two values are equal there exactly when they are
/// equal here; otherwise what changes, as the end of a sentence: "changes from int to varchar(20)".
[[nodiscard]] std::string value_change(const column_description& before, const column_description& after);

/// Bytes that a value takes at most; 0 for types that are no key types.
[[nodiscard]] std::uint64_t value_bytes_max(const column_description& column);

}  // namespace sluice::migration

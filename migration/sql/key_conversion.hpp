#pragma once

// Keys whose values the ALTER converts, one by one: from the original's form to the ghost's and back. Internal to
// migration/sql. Pure functions; safe from any thread.

#include <string>
#include <string_view>

#include "migration/sql/copy_columns.hpp"

namespace sluice::migration {

/// A literal of the original's key column as the ghost's column has the value. NULL, which equals nothing, where the
/// ghost's column has no such value.
[[nodiscard]] std::string ghost_literal(const key_column& column, const std::string& literal);

/// A reference to the original's column, to be compared with the ghost's as the ghost's key compares.
[[nodiscard]] std::string as_ghost_key(const key_column& column, const std::string& original);

/// A reference to the ghost's column, to be compared with the original's as the original's key compares.
[[nodiscard]] std::string as_original_key(const key_column& column, const std::string& ghost);

}  // namespace sluice::migration

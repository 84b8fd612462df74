#pragma once

// Changes in the text of an ALTER TABLE's body that make it fit for another table: the ghost. By tokens, never by
// substring. Pure functions; safe from any thread.

#include <map>
#include <string>
#include <string_view>

#include "protocol/sql/lexer.hpp"

namespace sluice::sql {

/// Without the clauses ALGORITHM=… and LOCK=…, which tell the server how to treat a table in use. Empty if nothing else
/// is in it.
[[nodiscard]] std::string without_algorithm_and_lock(std::string_view body, const lexer_options& options = {});

/// Names of CHECK constraints, in lower case (ASCII), and what each is called in the other table.
using constraint_names = std::map<std::string, std::string, std::less<>>;

/// Puts the other table's name wherever the body names such a constraint: DROP and ALTER CHECK or CONSTRAINT, and
/// CONSTRAINT name CHECK (…), where it makes one of a name that it has dropped.
[[nodiscard]] std::string with_constraint_names(std::string_view body, const constraint_names& names,
                                                const lexer_options& options = {});

}  // namespace sluice::sql

#pragma once

// The statements that prepare a new connection for the engine. Pure functions; safe from any thread.

#include "migration/mysql/mysql_executor.hpp"
#include "migration/ports/sql_executor.hpp"

#include <string>
#include <vector>

namespace sluice::migration {

/// Statements that every supported server takes.
[[nodiscard]] std::vector<std::string> session_setup_statements(const mysql_executor_options& options);

/// Asks which of the variables that only some servers have are there; its result goes to optional_setup_statement().
[[nodiscard]] std::string optional_variables_query();

/// Sets those that are there; empty when there are none.
[[nodiscard]] std::string optional_setup_statement(const query_result& variables);

}  // namespace sluice::migration

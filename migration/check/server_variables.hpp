#pragma once

// Global variables of the server, for the preconditions.

#include "migration/ports/sql_executor.hpp"

#include <initializer_list>
#include <map>
#include <string>
#include <string_view>

namespace sluice::migration {

/// By name in lower case; a variable that the server does not have is left out.
using server_variables = std::map<std::string, std::string, std::less<>>;

[[nodiscard]] outcome<server_variables> read_global_variables(sql_session& session,
                                                              std::initializer_list<std::string_view> names);

/// Empty when the server does not have it.
[[nodiscard]] std::string value_of(const server_variables& variables, std::string_view name);

/// ON, 1, YES and TRUE, in any letter case.
[[nodiscard]] bool is_on(const server_variables& variables, std::string_view name);

}  // namespace sluice::migration

#pragma once

// What commands by SQL do (protocol/sql/migration_command.hpp). Who may give them has been looked at before.

#include "admin/migration_directory.hpp"
#include "admin/show_answers.hpp"
#include "protocol/sql/migration_command.hpp"

#include <string>

namespace sluice::admin {

/// Carries the command out; gives a line for people. The refusal names the migration or the option, and what would be
/// right, as the HTTP API does.
[[nodiscard]] result<std::string, show_refusal> answer_command(const sql::migration_command& command,
                                                               migration_directory& migrations);

}  // namespace sluice::admin

#pragma once

// The body of POST /v1/migrations: {"schema": …, "table": …, "alter": …, "options": {…}, "dry_run": …}. Pure functions.

#include "admin/problem.hpp"
#include "migration/model/migration_spec.hpp"
#include "migration/model/option_fields.hpp"
#include "protocol/result.hpp"

#include <cstddef>
#include <string_view>

namespace sluice::admin {

inline constexpr std::size_t alter_bytes_max = 65'536;  ///< longest accepted ALTER text
inline constexpr std::size_t json_depth_max = 8;

struct migration_request {
    migration::migration_spec spec;
    bool dry_run = false;  ///< say how it would go, and do nothing
};

/// `defaults` fill in the options that the body leaves out. A problem names the field and says what would be right.
[[nodiscard]] result<migration_request, problem> parse_migration_request(std::string_view body,
                                                                         const migration::migration_options& defaults);

/// The body of POST …/settings: {"hold_budget_ms": 300, …}, at least one of the options, each a right value.
[[nodiscard]] result<migration::option_changes, problem> parse_settings_request(std::string_view body);

/// The body of a command: nothing, or an empty JSON object.
[[nodiscard]] result<void, problem> check_command_body(std::string_view body);

}  // namespace sluice::admin

#pragma once

// The statements that Sluice answers itself on the proxied endpoint (docs: README, "Control by SQL"):
//   SHOW MIGRATIONS [LIKE 'pattern' | WHERE state = 'state']    SHOW MIGRATION 'id'
//   SHOW MIGRATION CUTOVERS 'id'    SHOW PROXY STATUS    SHOW PROXY SESSIONS
// and the commands of migration_command.hpp.
// Anything else goes to the server untouched. Pure function; safe from any thread.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/sql/lexer.hpp"
#include "protocol/sql/migration_command.hpp"

namespace sluice::sql {

enum class show_subject : std::uint8_t {
    migrations,
    migration,
    cutovers,  ///< of one migration: a row for each attempt
    proxy_status,
    proxy_sessions,
    command,  ///< not a SHOW: something is to be done
};

struct show_request {
    show_subject subject = show_subject::migrations;
    std::string id;                    ///< of SHOW MIGRATION and SHOW MIGRATION CUTOVERS
    std::optional<std::string> like;   ///< pattern with % and _, matched against schema.table
    std::optional<std::string> state;  ///< of WHERE state = '...'
    migration_command command;         ///< of the subject `command`
};

/// The request, if text is exactly one such statement (comments and a trailing semicolon allowed). Costs a few bytes'
/// look when the text begins with another word.
[[nodiscard]] std::optional<show_request> read_own_statement(std::string_view text, const lexer_options& options = {});

}  // namespace sluice::sql

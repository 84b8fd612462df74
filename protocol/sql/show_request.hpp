#pragma once

// The statements that Sluice answers itself on the proxied endpoint (docs: README, "Control by SQL"):
//   SHOW MIGRATIONS [LIKE 'pattern' | WHERE state = 'state']    SHOW MIGRATION 'id'
//   SHOW PROXY STATUS    SHOW PROXY SESSIONS
// Anything else goes to the server untouched. Pure function; safe from any thread.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/sql/lexer.hpp"

namespace sluice::sql {

enum class show_subject : std::uint8_t { migrations, migration, proxy_status, proxy_sessions };

struct show_request {
    show_subject subject = show_subject::migrations;
    std::string id;                    ///< of SHOW MIGRATION
    std::optional<std::string> like;   ///< pattern with % and _, matched against schema.table
    std::optional<std::string> state;  ///< of WHERE state = '...'
};

/// The request, if text is exactly one such statement (comments and a trailing semicolon allowed). Costs a few bytes'
/// look when the text does not begin with SHOW.
[[nodiscard]] std::optional<show_request> is_show_migrations(std::string_view text, const lexer_options& options = {});

}  // namespace sluice::sql

#pragma once

// Whose statement a KILL ends. A statement that is held in Sluice is unknown to the server, which has nothing to kill
// then: Sluice must do it. Pure; any thread.

#include <cstdint>
#include <optional>
#include <string_view>

#include "protocol/sql/lexer.hpp"

namespace sluice::session {

/// The connection of KILL [HARD | SOFT] QUERY n. Nothing for other
/// texts: KILL [CONNECTION] n ends a connection, which Sluice sees; of KILL QUERY @x the number is not known here.
[[nodiscard]] std::optional<std::uint64_t> killed_query(std::string_view text, const sql::lexer_options& options);

}  // namespace sluice::session

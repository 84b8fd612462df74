#pragma once

// The answer to a statement that Sluice answers itself (SHOW MIGRATIONS and its kin, commands to migrations): a table
// of texts, a word that it has been done, or an error.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "protocol/sql/show_request.hpp"

namespace sluice::proxy {

struct show_error {
    std::uint16_t number = 1105;      ///< a MySQL error number; 1105 is ER_UNKNOWN_ERROR
    std::string sql_state = "HY000";  ///< five characters
    std::string message;
};

struct show_answer {
    std::vector<std::string> columns;                           ///< at least one, unless `error` or `done` is set
    std::vector<std::vector<std::optional<std::string>>> rows;  ///< UTF-8; nullopt is NULL; as wide as `columns`
    std::optional<show_error> error;                            ///< sent instead, when set
    std::optional<std::string> done;                            ///< likewise: an OK with this for people
};

/// Called on the proxy's own answering thread, one call at a time; may take its time, but then others wait.
/// What it throws becomes an error for the client.
using show_port = std::function<show_answer(const sql::show_request&)>;

}  // namespace sluice::proxy

#pragma once

// The one error type of the migration rooms. A failure says what was tried, on what, and what may be done now.

#include "protocol/result.hpp"

#include <string>
#include <string_view>

namespace sluice::migration {

enum class disposition {
    retry,            ///< transient: the same step may be tried again, with backoff
    abort,            ///< trying again cannot help; the migration ends and the original table stays as it was
    outcome_unknown,  ///< the connection was lost around a statement with effect: ask the server before doing anything
                      ///< else
};

struct failure {
    std::string code;           ///< stable, snake_case, for programs: "unique_key_conflict", "access_denied", ...
    std::string message;        ///< for people: names the object and what would be right
    unsigned server_errno = 0;  ///< the server's error number, 0 when the server did not speak
    std::string sqlstate;       ///< five characters, or empty
    std::string attempted;      ///< the step or statement that failed; may be empty
    disposition then = disposition::abort;
};

template <class T>
using outcome = result<T, failure>;

/// A failure found by Sluice itself (no server error behind it).
[[nodiscard]] inline failure refuse(std::string_view code, std::string message) {
    return failure{.code = std::string(code), .message = std::move(message), .sqlstate = {}, .attempted = {}};
}

/// The server cannot be reached, or takes no writes for now (a switchover begins so): no fault of the migration.
[[nodiscard]] inline bool is_server_away(const failure& why) {
    return why.code == "cannot_connect" || why.code == "read_only";
}

}  // namespace sluice::migration

#pragma once

// Errors of the HTTP API: application/problem+json (RFC 9457) with two members more, `code` (stable, for programs) and,
// where one field of the request is to blame, `field`.

#include "admin/http_message.hpp"
#include "migration/model/failure.hpp"

#include <string>
#include <string_view>

namespace sluice::admin {

struct problem {
    unsigned status = 500;  ///< HTTP status
    std::string code;       ///< snake_case: "unknown_field", "already_running", ...
    std::string detail;     ///< for people: what is wrong and what would be right
    std::string field;      ///< dotted path in the request body; empty where none is to blame
};

[[nodiscard]] http_response to_response(const problem& p);

/// The engine's refusals: no_such_migration 404, already_running and wrong_state 409, invalid_request 400,
/// unavailable (starting or stopping) 503, others 500.
[[nodiscard]] problem to_problem(const migration::failure& f);

/// The reason phrase of a status that this API uses, "Error" for others.
[[nodiscard]] std::string_view status_title(unsigned status) noexcept;

}  // namespace sluice::admin

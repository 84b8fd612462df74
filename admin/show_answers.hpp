#pragma once

// The answers to SHOW MIGRATIONS, SHOW MIGRATION 'id', SHOW PROXY STATUS and SHOW PROXY SESSIONS as neutral tables of
// text. Pure functions of what the directory and the view say.

#include "admin/migration_directory.hpp"
#include "admin/proxy_view.hpp"
#include "protocol/result.hpp"
#include "protocol/sql/show_request.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::admin {

struct text_table {
    std::vector<std::string> columns;
    std::vector<std::vector<std::optional<std::string>>> rows;  ///< nullopt: NULL
};

/// Becomes an ERR packet.
struct show_refusal {
    unsigned server_errno = 1105;  ///< ER_UNKNOWN_ERROR
    std::string sqlstate = "HY000";
    std::string message;
};

[[nodiscard]] result<text_table, show_refusal> answer_show(const sql::show_request& request,
                                                           const migration_directory& migrations,
                                                           const proxy_view& proxy);

/// SQL's LIKE as MySQL has it: % any run, _ one character, \ takes the next one as it is; ASCII letters match in either
/// case. Time is bounded by the product of the lengths.
[[nodiscard]] bool like_matches(std::string_view text, std::string_view pattern) noexcept;

}  // namespace sluice::admin

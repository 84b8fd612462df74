#pragma once

// What SHOW GRANTS says an account may do, for one schema.

#include "migration/ports/sql_executor.hpp"

#include <set>
#include <string>
#include <string_view>

namespace sluice::migration {

/// Privileges in upper case, as SHOW GRANTS prints them: "SELECT", "LOCK TABLES", "XA_RECOVER_ADMIN".
class granted_privileges {
public:
    /// grants: the result of SHOW GRANTS, in which the server has worked in the active roles. Grants on single tables
    /// and columns do not count; partial revokes do. Where several patterns of schema names match, their privileges are
    /// added up, although the server takes the most specific one: that may only say too much.
    granted_privileges(const query_result& grants, std::string_view schema);

    [[nodiscard]] bool has_global(std::string_view privilege) const;
    /// On the schema, by a grant on it or a global one that is not revoked there.
    [[nodiscard]] bool has_on_schema(std::string_view privilege) const;

private:
    void add_statement(std::string_view statement, std::string_view schema);

    std::set<std::string, std::less<>> global_;
    std::set<std::string, std::less<>> on_schema_;
    std::set<std::string, std::less<>> revoked_on_schema_;
};

/// Whether the schema part of a grant (`_` and `%` are wildcards, a backslash takes their meaning off) is for this
/// schema.
[[nodiscard]] bool grant_covers_schema(std::string_view pattern, std::string_view schema);

}  // namespace sluice::migration

#pragma once

// CHECK constraints on MySQL: their names belong to the schema, so CREATE TABLE … LIKE gives the ghost's others,
// numbered anew. Here they get names that become the original's by the swap, where the server allows it: RENAME TABLE
// carries `t_chk_1` over (its name begins with the table's), so the ghost's is `_t_gho_chk_1`. A name that somebody
// chose stays with the old table; the ghost's constraint gets one beside it. Source: MySQL 9.7 Reference Manual, "CHECK
// Constraints" and "RENAME TABLE Statement". Pure functions; safe from any thread.

#include <string>
#include <string_view>
#include <vector>

#include "migration/model/table_description.hpp"
#include "protocol/sql/alter_rewriting.hpp"

namespace sluice::migration {

struct check_constraint {
    std::string name;
    std::string rule;  ///< "CHECK ((`a` > 0))", with NOT ENFORCED if it is so
};

/// In the order of SHOW CREATE TABLE.
[[nodiscard]] std::vector<check_constraint> check_constraints_of(const std::string& create_statement);

/// What each is to be called in the ghost. taken: names of the schema's other constraints, in lower case.
[[nodiscard]] sql::constraint_names ghost_check_names(const std::vector<check_constraint>& checks,
                                                      const table_name& original, const table_name& ghost,
                                                      const std::vector<std::string>& taken);

/// "ALTER TABLE ghost DROP CHECK a, DROP CHECK b"; "... ADD CONSTRAINT c CHECK (...), ...". None may be empty.
[[nodiscard]] std::string drop_checks_statement(const table_name& table, const std::vector<check_constraint>& checks);
[[nodiscard]] std::string add_checks_statement(const table_name& table, const std::vector<check_constraint>& checks,
                                               const sql::constraint_names& names);

}  // namespace sluice::migration

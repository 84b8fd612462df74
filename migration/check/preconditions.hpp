#pragma once

// The preconditions of a migration, each in a file of its own. Every function only reads, and refuses by a failure that
// names the object in the way and what would be right. run_checks() knows their order; later ones rely on earlier ones.

#include "migration/check/checks.hpp"
#include "migration/model/failure.hpp"
#include "migration/ports/sql_executor.hpp"
#include "protocol/sql/alter_statement.hpp"

#include <string>

namespace sluice::migration {

/// What a precondition looks at. References: valid for the time of the call.
struct check_subject {
    sql_session& session;
    const migration_spec& spec;
    const sql::alter_statement& alter;
    const server_facts& facts;
    checked_role role{};
};

/// Learns what the server is. "unsupported_server" for MySQL before 5.6.5 and MariaDB before 10.5.2.
[[nodiscard]] outcome<server_facts> check_server(sql_session& session);

/// The ALTER itself. "unsupported_alter" for clauses that a copy of the table cannot carry out exactly.
[[nodiscard]] outcome<void> check_alter(const check_subject& subject);

/// "bad_identifier", "system_schema".
[[nodiscard]] outcome<void> check_names(const check_subject& subject);

/// "missing_privileges", naming each and the GRANT that gives it. Without PROCESS and TRIGGER the server hides foreign
/// keys and triggers, so later preconditions rely on this one.
[[nodiscard]] outcome<void> check_privileges(const check_subject& subject);

/// "read_only".
[[nodiscard]] outcome<void> check_writable(const check_subject& subject);

/// "binlog_off", "binlog_format", "binlog_filtered", "replicated_unlogged".
[[nodiscard]] outcome<void> check_binlog(const check_subject& subject);

/// "no_such_table", "not_a_table", "wrong_engine".
[[nodiscard]] outcome<void> check_engine(const check_subject& subject);

/// Those of check_engine(), and the codes of require_usable_key().
[[nodiscard]] outcome<void> check_table(const check_subject& subject);

/// "foreign_keys" and the other codes of plan_foreign_keys(), naming the constraints.
[[nodiscard]] outcome<void> check_foreign_keys(const check_subject& subject);

/// "triggers" and the other codes of plan_triggers(), naming them.
[[nodiscard]] outcome<void> check_triggers(const check_subject& subject);

/// "leftover_tables": names that the migration needs for tables of its own are in use, and by what is not to go first.
[[nodiscard]] outcome<void> check_artefacts(const check_subject& subject);

/// Names in a sentence: "a, b and 3 more".
[[nodiscard]] std::string listed(const std::vector<std::string>& names, std::size_t shown_max = 10);

}  // namespace sluice::migration

#pragma once

// Decides, before anything is made, what becomes of a table's triggers and foreign keys: or refuses, naming them.

#include "migration/check/checks.hpp"
#include "migration/model/failure.hpp"
#include "migration/model/migration_plan.hpp"
#include "migration/model/migration_spec.hpp"
#include "migration/ports/sql_executor.hpp"
#include "migration/relations/relations_plan.hpp"
#include "protocol/sql/alter_statement.hpp"

#include <map>
#include <string>

namespace sluice::migration {

/// What both plans look at. References: valid for the time of the call.
struct relations_subject {
    sql_session& session;
    const migration_spec& spec;
    const sql::alter_statement& alter;
    const server_facts& facts;
    std::string ghost{};  ///< its name; empty: the usual one
    /// Of a way back: the names that triggers get, by those that they have; of others the options decide.
    std::map<std::string, std::string> trigger_names{};
};

/// Fills in the triggers. Failures, all abort:
///   triggers                 the table has some, and include_triggers is not set
///   trigger_suffix_missing   names of triggers are unique in a schema, and the old table keeps its own until it goes
///   trigger_name_too_long    over 64 characters with the suffix
///   trigger_name_taken       another trigger of the schema has the name
///   trigger_privileges       what CREATE TRIGGER needs, beyond TRIGGER, where a binary log is written
///   trigger_collation        the schema's default collation is another one than when the trigger was made
///   trigger_unreadable
outcome<void> plan_triggers(const relations_subject& subject, relations_plan& plan);

/// Fills in the foreign keys. Failures, all abort:
///   foreign_keys             of the table, without keep_foreign_keys or discard_foreign_keys
///   referencing_foreign_keys   to the table, without rebuild_referencing_keys, or where they cannot be rebuilt exactly
///   foreign_key_options      both keep and discard
///   foreign_key_cascades     a rule that changes rows of the table without row events (CASCADE, SET NULL)
///   foreign_key_name_too_long, foreign_key_name_taken, foreign_key_unclear, foreign_key_privileges,
///   foreign_key_parent_missing
outcome<void> plan_foreign_keys(const relations_subject& subject, relations_plan& plan);

/// With the altered ghost in place and empty: makes each trigger on it and drops it again ("trigger_refused" in the
/// server's own words, such as for a column that the ALTER takes away), and looks whether the keys fit its columns and
/// indexes ("foreign_key_misfit"). plan: names, descriptions and relations are looked at.
outcome<void> try_relations(sql_session& session, const migration_plan& plan);

/// The body of an ALTER without its clauses about foreign keys, for the ghost; empty if nothing else is in it.
[[nodiscard]] std::string body_without_foreign_keys(const sql::alter_statement& alter, const relations_plan& plan);

/// The clause drops a foreign key that the table has: DROP FOREIGN KEY, or DROP CONSTRAINT of such a name.
[[nodiscard]] bool drops_foreign_key(const sql::alter_clause& clause, const std::vector<foreign_key>& own);

}  // namespace sluice::migration

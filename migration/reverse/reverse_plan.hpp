#pragma once

// The plan of the way back: the same machinery in the other direction. The table that was the ghost is `original` now,
// the old table is `ghost`. Names outside of and during an attempt change places with it, so that at any time `_gho`
// (and `t~gho`) is the table with the new definition and `_del` (`t~old`) the one with the old definition.

#include "migration/check/checks.hpp"
#include "migration/model/migration_plan.hpp"
#include "migration/model/migration_spec.hpp"
#include "migration/model/value_conversion.hpp"
#include "migration/ports/sql_executor.hpp"
#include "protocol/sql/alter_statement.hpp"

#include <map>
#include <string>

namespace sluice::migration {

/// The names alone, for settle_swap().
[[nodiscard]] migration_plan names_of_way_back(const migration_plan& names);

/// forward: its names, options and what is known of the server (family, lock, ...). now: the new table, by whatever
/// name; old: the old one, likewise. Pure. Failures, all abort:
///   those of map_columns()   the old definition has no unique key that finds the rows of the new one
///   way_back_relations       foreign keys that a revert could not give back
///   way_back_conversion      values cannot be converted back exactly; names the columns
///   way_back_value           a column that the ALTER drops is NOT NULL, and no value could be given to new rows
///   way_back_key             the ALTER drops columns and changes the collation of the key, or the key is generated
[[nodiscard]] outcome<migration_plan> plan_way_back(const migration_plan& forward, const table_description& now,
                                                    const table_description& old, const sql::alter_statement& alter,
                                                    const conversion_settings& settings);

/// Fills in back.relations: what the new table has of triggers and foreign keys now is what the old one gets at a
/// revert, the triggers under the names that they had: those of former_trigger_names, and for one that has come since
/// what remove_trigger_suffix makes of its name. back: of plan_way_back(), with what is known of the server. The old
/// table must be free of triggers and foreign keys. Fails as plan_triggers() and plan_foreign_keys().
outcome<void> plan_relations_back(sql_session& session, const migration_spec& spec, const server_facts& facts,
                                  const std::map<std::string, std::string>& former_trigger_names, migration_plan& back);

/// Of the way forth: what the old table's triggers are called, by the names that the new table's have.
[[nodiscard]] std::map<std::string, std::string> former_trigger_names(const relations_plan& forward);

/// Takes out what a cut-over waits for beside a good moment: a revert is the operator's word for now.
void revert_when_told(migration_options& options);

/// What the statement of the swap that begins the way back has in it: of the swap under a lock, or of the one
/// by two sessions. forward: names and rename_under_lock are looked at.
[[nodiscard]] std::string clause_of_swap(const migration_plan& forward);

}  // namespace sluice::migration

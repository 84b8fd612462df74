#pragma once

// Preconditions of a migration, one per file. Each looks at the server and says why a migration cannot be exact there.

#include "migration/family/server_family.hpp"
#include "migration/model/failure.hpp"
#include "migration/model/migration_spec.hpp"
#include "migration/ports/sql_executor.hpp"
#include "protocol/sql/alter_statement.hpp"

#include <string>

namespace sluice::migration {

/// What the checks learned of the server on their way.
struct server_facts {
    family_ptr family;            ///< never null after check_server()
    std::string version;          ///< as VERSION() says
    unsigned version_number = 0;  ///< 90700 for 9.7.0
    bool gtid_mode_on = false;    ///< every transaction has a GTID; whether they are followed is the family's word
    int lower_case_table_names = 0;
};

/// What is asked of the server differs where it does not do everything by itself, as a primary, or is tidied first.
struct checked_role {
    bool is_replica = false;              ///< a replica that is altered alone: read_only is no obstacle
    bool log_is_read_at_replica = false;  ///< changes are read from a replica's log, see check_replica.hpp
    bool drops_leftovers = false;         ///< ghost and changelog of an earlier run go before their names are needed
};

/// Runs all preconditions in order; the first refusal ends it. Changes nothing on the server.
outcome<server_facts> run_checks(sql_session& session, const migration_spec& spec, const sql::alter_statement& alter,
                                 const checked_role& role = {});

/// The same for a migration whose tables are there already.
outcome<server_facts> run_checks_again(sql_session& session, const migration_spec& spec,
                                       const sql::alter_statement& alter, const checked_role& role = {});

/// What must hold for the server to alter the table by itself (INSTANT, INPLACE): nothing is copied, so the binary log,
/// keys, foreign keys, triggers and leftovers do not matter. "wrong_engine" where the table is not InnoDB; the other
/// codes are those of run_checks(). Changes nothing on the server.
outcome<server_facts> run_direct_checks(sql_session& session, const migration_spec& spec,
                                        const sql::alter_statement& alter, const checked_role& role = {});

/// Compares the original with what it was when the migration began: "original_changed" if its definition (but for the
/// AUTO_INCREMENT counter) is not the same. For triggers and foreign keys see check_relations_unchanged().
outcome<void> check_original_unchanged(sql_session& session, const table_description& original);

/// Reads the description of a table. "no_such_table" when it is not there, "not_a_table" for a view.
outcome<table_description> describe_table(sql_session& session, const table_name& name);

}  // namespace sluice::migration

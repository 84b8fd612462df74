#pragma once

// Preconditions of a migration, one per file. Each looks at the server and says why a migration cannot be exact there.

#include "migration/model/failure.hpp"
#include "migration/model/migration_spec.hpp"
#include "migration/ports/sql_executor.hpp"
#include "protocol/sql/alter_statement.hpp"

#include <string>

namespace sluice::migration {

/// What the checks learned of the server on their way.
struct server_facts {
    std::string version;  ///< as VERSION() says
    bool is_mariadb = false;
    unsigned version_number = 0;  ///< 90700 for 9.7.0
    bool gtid_mode_on = false;    ///< transactions can be followed by GTID
    int lower_case_table_names = 0;
    bool rename_under_lock = false;  ///< RENAME TABLE inside LOCK TABLES works (MySQL >= 8.0.13)
};

/// Runs all preconditions in order; the first refusal ends it. Changes nothing on the server.
outcome<server_facts> run_checks(sql_session& session, const migration_spec& spec, const sql::alter_statement& alter);

/// Compares the original with what it was when the migration began: "original_changed" if its definition (but for the
/// AUTO_INCREMENT counter), its triggers or the foreign keys that refer to it are not the same.
outcome<void> check_original_unchanged(sql_session& session, const table_description& original);

/// Reads the description of a table. "no_such_table" when it is not there, "not_a_table" for a view.
outcome<table_description> describe_table(sql_session& session, const table_name& name);

}  // namespace sluice::migration

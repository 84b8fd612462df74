#pragma once

// Reads what the server knows of a table's triggers and foreign keys: the one source for checks, plans and cut-overs.

#include "migration/family/server_family.hpp"
#include "migration/model/failure.hpp"
#include "migration/model/table_description.hpp"
#include "migration/ports/sql_executor.hpp"
#include "migration/relations/foreign_key.hpp"
#include "migration/relations/table_trigger.hpp"

#include <string>
#include <vector>

namespace sluice::migration {

/// The names alone, one query; by timing and event, and within these in the order in which they act.
outcome<std::vector<std::string>> read_trigger_names(sql_session& session, const table_name& table);

/// The triggers whole, in that order. Changes the session's character set for results for a moment.
outcome<std::vector<table_trigger>> read_triggers(sql_session& session, const table_name& table);

/// All of them, also of schemas that the account cannot see, and of tables whose parent does not exist; in the order of
/// schema and name. An account that sees every table (SELECT on *.*) has them from MySQL 8's indexed dictionary, in
/// less than a millisecond; any other, and on older servers, from InnoDB's own list, which (with PROCESS) holds every
/// constraint of the server and is read as a whole. "foreign_key_unclear" for names there that cannot be told apart.
outcome<foreign_keys> read_foreign_keys(sql_session& session, const server_family& family, const table_name& table,
                                        int lower_case_table_names);

}  // namespace sluice::migration

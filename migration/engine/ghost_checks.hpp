#pragma once

// Gives the CHECK constraints of a new ghost the names that they are to have, while it is empty.

#include "migration/family/server_family.hpp"
#include "migration/model/table_description.hpp"
#include "migration/ports/sql_executor.hpp"
#include "protocol/sql/alter_rewriting.hpp"

namespace sluice::migration {

/// Right behind CREATE TABLE … LIKE. What each constraint of the original is called in the ghost; empty where names
/// belong to their table, so that they are the same.
outcome<sql::constraint_names> name_ghost_checks(sql_session& session, const server_family& family,
                                                 const table_name& original, const table_name& ghost);

}  // namespace sluice::migration

#pragma once

// What an operator should know before a migration begins. Each looks at what a dry run has found; none changes anything
// on the server.

#include "migration/model/alter_forecast.hpp"
#include "migration/model/migration_plan.hpp"
#include "migration/ports/sql_executor.hpp"
#include "protocol/sql/alter_statement.hpp"

namespace sluice::migration {

/// From the plan alone. Codes: "unique_key_added", "nullable_key", "null_refused", "values_converted",
/// "foreign_keys_discarded", "foreign_keys_rebuilt", "triggers_made_again", "indexes_deferred". Pure.
void warn_of_plan(const migration_plan& plan, const sql::alter_statement& alter, alter_forecast& forecast);

/// From the server. Codes: "long_transaction", "replicas", "binlog_retention".
void warn_of_server(sql_session& session, const server_family& family, alter_forecast& forecast);

/// What travels, what comes and what goes. Pure.
[[nodiscard]] std::vector<forecast_column> columns_of(const migration_plan& plan);

}  // namespace sluice::migration

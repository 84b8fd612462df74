#pragma once

// A migration in the midst of writes, and the comparison of its result with a mirror that the server has altered
// itself.

#include "tests/integration/cases/mirror_writers.hpp"
#include "tests/integration/migration/engine_rig.hpp"

#include <functional>
#include <string>

namespace sluice::test {

/// sql_mode of the sessions that fill tables and alter the mirror: the engine's own.
inline constexpr const char* mirrored_sql_mode =
    "STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION";

/// root's connection with that mode, in UTC, and with the variables that show everything of a table.
[[nodiscard]] sql_connection mirrored_session(const mysql_server& server, const std::string& schema);

/// Until `condition` holds of the migration or it has ended; throws after a minute, with what it waits for.
[[nodiscard]] migration::snapshot_ptr poll_until(
    const migration::migration_service& engine, const std::string& id,
    const std::function<bool(const migration::migration_snapshot&)>& condition);

struct mirrored_progress {
    migration::snapshot_ptr last;
    bool paused_midway = false;  ///< the copy was stopped in the middle for some writes
};

/// Runs the migration to its end: writes before the first chunk, between chunks, when all is copied, during the
/// cut-over and after it, each waited for by count. The spec must postpone the cut-over.
[[nodiscard]] mirrored_progress migrate_under_writes(migration::migration_service& engine,
                                                     const migration::migration_spec& spec, mirror_writers& writers,
                                                     sql_connection& root);

/// What the server is told for the mirror: alter is the text after ALTER TABLE t, or the whole statement.
[[nodiscard]] std::string alter_statement(const std::string& table, const std::string& alter);

/// Compares the rows of a table that both schemas have, all of the right one's columns. Empty when they are equal.
[[nodiscard]] std::string row_differences(sql_connection& root, const std::string& left, const std::string& right,
                                          const std::string& table);

/// Compares all tables of two schemas: which there are, definitions, AUTO_INCREMENT counters, triggers, rows. Empty
/// when they are equal, else the first differences.
[[nodiscard]] std::string schema_differences(sql_connection& root, const std::string& left, const std::string& right,
                                             bool free_constraint_names);

}  // namespace sluice::test

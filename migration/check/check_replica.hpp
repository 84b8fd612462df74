#pragma once

// Whether a replica hands every change of a table on, in the order of its master, into its own binary log: what must
// hold of the replica whose log is read for a migration of the master, and of every server between the two.

#include "migration/check/checks.hpp"
#include "migration/check/replica_status.hpp"
#include "migration/model/failure.hpp"
#include "migration/model/table_description.hpp"
#include "migration/ports/sql_executor.hpp"

namespace sluice::migration {

/// Refuses by one of
///   not_a_replica         it replicates from nobody
///   replica_log           it does not log what it replicates
///   replica_filtered      a filter keeps the table, or the migration's own, away from it
///   replica_order         it may commit in another order than its master
///   replica_skips         it goes on over changes that it cannot make
/// Only reads.
[[nodiscard]] outcome<void> check_passes_on(sql_session& replica, const migration_spec& spec);

/// "binlog_off" and "replica_log" alone: what must hold of a replica that is altered itself.
[[nodiscard]] outcome<void> check_logs_replicated(sql_session& replica);

/// All of it for the replica whose log is read: check_passes_on(), "replication_broken" while it does not run, the
/// codes of check_binlog(), and "gtid_mode" where it has no GTIDs and the master does. Only reads.
[[nodiscard]] outcome<server_facts> check_log_server(sql_session& replica, const migration_spec& spec,
                                                     const server_facts& master);

}  // namespace sluice::migration

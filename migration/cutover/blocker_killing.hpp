#pragma once

// Ends a session that has stood in the way of a cut-over for too long (kill_blockers_after_ms).

#include "migration/family/server_family.hpp"
#include "migration/ports/sql_executor.hpp"
#include "migration/ports/traffic_gate.hpp"

namespace sluice::migration {

/// KILL, after the server has been asked who the session is. Never of replication or of the server's own threads, never
/// of the account of the asking session, and never of a session that has, or may have, a prepared XA transaction: the
/// refusal ("not_killed") says which of these it is. A session that has gone by itself is a success.
outcome<void> kill_blocker(const server_family& family, const gate_blocker& blocker, sql_session& session);

}  // namespace sluice::migration

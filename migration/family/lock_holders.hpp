#pragma once

// Which sessions stand in the way of a lock on the table, as far as the server can tell.

#include "migration/family/server_family.hpp"
#include "migration/ports/traffic_gate.hpp"

#include <vector>

namespace sluice::migration {

/// Sessions that hold a metadata lock on the table beyond their statement, oldest first; the asking session is left
/// out. Empty where the server cannot tell, or does not answer.
[[nodiscard]] std::vector<gate_blocker> lock_holders(const server_family& family, const table_name& table,
                                                     sql_session& session);

/// Sessions with an open transaction, which may or may not have used the table: for a report, never to wait for.
[[nodiscard]] std::vector<gate_blocker> open_transactions(const server_family& family, sql_session& session);

}  // namespace sluice::migration

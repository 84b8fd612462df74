#pragma once

// Which sessions stand in the way of a lock on the table, as far as the server can tell.

#include "migration/family/server_family.hpp"
#include "migration/ports/traffic_gate.hpp"

#include <vector>

namespace sluice::migration {

struct table_users {
    bool server_tells = false;  ///< false: the server has no list of metadata locks, or keeps none, or did not answer
    std::vector<gate_blocker> sessions;
};

/// Sessions that hold a metadata lock on the table beyond their statement, oldest first; the asking session is left
/// out. Each is marked as direct: of a proxy the server knows nothing.
[[nodiscard]] table_users users_of(const server_family& family, const table_name& table, sql_session& session);

/// The same, without a word on whether there may be others.
[[nodiscard]] std::vector<gate_blocker> lock_holders(const server_family& family, const table_name& table,
                                                     sql_session& session);

/// Sessions with an open transaction, which may or may not have used the table: for a report, never to wait for without
/// an end. Oldest first. reads_old_view: only those that keep one view of all tables until their end.
enum class open_transaction_kind { any, reads_old_view };
[[nodiscard]] std::vector<gate_blocker> open_transactions(const server_family& family, sql_session& session,
                                                          open_transaction_kind kind = open_transaction_kind::any);

/// The server's open transactions of InnoDB, and by what they read. Empty where the server does not tell.
[[nodiscard]] std::vector<open_transaction> transactions_by_isolation(sql_session& session);

}  // namespace sluice::migration

#pragma once

// One attempt at letting the server alter the original by itself. Such a statement needs the table for itself for a
// moment, and while it waits for that, whoever comes later waits behind it. So, as at a cut-over: look whether somebody
// has held the table for long; hold the clients at the gate rather than at the server; and bound all of it in
// milliseconds.

#include "migration/ports/reconnecting_session.hpp"
#include "migration/ports/sql_executor.hpp"
#include "migration/ports/traffic_gate.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::migration {

enum class direct_end {
    done,
    refused,  ///< the server does not do it this way; nothing has changed
    blocked,  ///< the table was not to be had in time; nothing has changed (where DDL is atomic: MySQL 8, MariaDB 10.6)
    called_off,  ///< told otherwise, just before the statement; nothing has changed
    lost,    ///< the connection was lost on the way, and has ended on the server: ask it what has become of the table
    failed,  ///< the server cannot be reached
};

struct direct_outcome {
    direct_end end = direct_end::failed;
    failure why;       ///< unless done
    hold_report hold;  ///< of the gate, when it was closed
};

struct direct_request {
    std::string statement;               ///< the whole ALTER TABLE
    std::string time_zone;               ///< of the session meanwhile: a TIMESTAMP literal in a DEFAULT goes by it
    std::chrono::milliseconds wait_max;  ///< clients are held, and the statement waits for its lock, at most this long
    std::function<std::vector<gate_blocker>()> lock_holders;  ///< what the server says
    /// The operator has said meanwhile that the table is not to be altered now. Asked just before the statement is
    /// sent, on the same thread.
    std::function<bool()> told_otherwise;
};

/// Blocks for at most about wait_max (longer only where the server, which has begun, cannot be stopped). The session
/// ends as it was: nothing that was killed late can strike its next statement.
[[nodiscard]] direct_outcome alter_directly(reconnecting_session& session, sql_executor& executor, table_gate& gate,
                                            const direct_request& request);

}  // namespace sluice::migration

#pragma once

// Whether a command waits at a closed gate. Pure; any thread.

#include "protocol/message/command.hpp"
#include "protocol/sql/statement_footprint.hpp"
#include "proxy/session/gate_seat.hpp"

namespace sluice::session {

struct hold_question {
    protocol::command command = protocol::command::query;
    sql::statement_kind kind = sql::statement_kind::other;  ///< of a COM_QUERY with a single statement
    slot_mask may_touch = 0;
    slot_mask holding = 0;  ///< gate_shard::holding()
    bool in_transaction = false;
    bool has_touched = false;  ///< of the open transaction
    bool holds_locks = false;  ///< LOCK TABLES, HANDLER, XA
};

/// A statement that ends something, or frees somebody, must never wait; nor may a session that may hold locks: others
/// would wait for it. A transaction that has touched nothing yet holds none.
[[nodiscard]] bool must_hold(const hold_question& question) noexcept;

}  // namespace sluice::session

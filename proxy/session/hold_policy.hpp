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
    slot_mask holding = 0;  ///< these four: of the shard
    slot_mask holding_all = 0;
    slot_mask sealed = 0;
    slot_mask undecided = 0;
    bool in_transaction = false;
    bool has_touched = false;   ///< of the open transaction
    bool holds_locks = false;   ///< LOCK TABLES, HANDLER, XA
    bool has_snapshot = false;  ///< the open transaction may read by an older one
    bool autocommit = true;
    bool reads_anew = false;       ///< the transaction, or the one that it would begin, has no snapshot of its own
    bool touches_a_table = false;  ///< these three: as in expected_reply
    bool reads_by_snapshot = true;
    bool runs_several = false;
};

/// A statement that ends something, or frees somebody, must never wait; nor may a session that may hold locks: others
/// would wait for it. A transaction that has touched nothing yet holds none. While a gate is sealed two more wait: what
/// would take a snapshot that is older than the swap (see gate_shard), and what would read a table by such a one. The
/// latter waits whatever its session holds: nobody who uses the table is left by then, and the gate's time is short.
/// Nothing in the answer: it goes on.
[[nodiscard]] hold_masks must_hold(const hold_question& question) noexcept;

/// Whether it would read, by a snapshot from before the swap, a table that has changed places since.
[[nodiscard]] bool must_refuse(const hold_question& question, slot_mask outdated) noexcept;

}  // namespace sluice::session

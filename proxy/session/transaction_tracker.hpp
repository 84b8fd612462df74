#pragma once

// What of the server's locks a session may hold: an open transaction, LOCK TABLES, HANDLERs, XA, and which watched
// tables those may have touched. The base is the server's own status flags; LOCK TABLES, HANDLER and XA PREPARE hold
// metadata locks without them. Table use is counted only while tables are watched; what was open before a watch began
// counts as having touched everything. One thread.

#include <cstdint>

#include "protocol/message/capabilities.hpp"
#include "proxy/session/gate_seat.hpp"
#include "proxy/session/response_tracker.hpp"

namespace sluice::session {

class transaction_tracker {
public:
    /// A login, a COM_CHANGE_USER or a COM_RESET_CONNECTION has ended well: nothing is open any more.
    void reset(protocol::status_flags status) noexcept;
    /// A reply has ended; status is the server's last.
    void on_reply(const ended_reply& ended, protocol::status_flags status, time_point now) noexcept;
    /// Tables begin to be watched. True if the session may use them.
    bool on_watch(slot_mask added) noexcept;

    /// A transaction is open (as the server says; begun by autocommit=0 included).
    [[nodiscard]] bool in_transaction() const noexcept { return in_transaction_; }
    /// LOCK TABLES, an open HANDLER, or an XA transaction in any state before its end.
    [[nodiscard]] bool holds_locks() const noexcept { return tables_locked_ || handlers_open_ != 0 || in_xa_; }
    /// What is open has touched some table and so may hold locks. False for a bare BEGIN.
    [[nodiscard]] bool has_touched() const noexcept { return has_touched_; }
    /// Watched tables that what is open may have touched.
    [[nodiscard]] slot_mask touched() const noexcept { return touched_; }
    /// When that began (as its reply came).
    [[nodiscard]] time_point since() const noexcept { return since_; }

private:
    [[nodiscard]] bool is_open() const noexcept { return in_transaction_ || holds_locks(); }
    void adopt_statement(sql::statement_kind kind, bool certain) noexcept;
    void adopt_reply(const ended_reply& ended) noexcept;
    void adopt_status(const ended_reply& ended, protocol::status_flags status) noexcept;

    bool in_transaction_ = false;
    bool tables_locked_ = false;
    bool in_xa_ = false;
    bool begun_anew_ = false;  // by the reply that is being looked at
    bool has_touched_ = false;
    std::uint32_t handlers_open_ = 0;
    slot_mask touched_ = 0;
    time_point since_{};
};

}  // namespace sluice::session

#pragma once

// What of the server's locks a session may hold: an open transaction, LOCK TABLES, HANDLERs, XA, and which watched
// tables those may have touched. The base is the server's own status flags; LOCK TABLES, FLUSH TABLES, HANDLER and XA
// PREPARE hold metadata locks without them. Table use is counted only while tables are watched; what was open before a
// watch began counts as having touched everything.
//
// It errs towards "in use". An ERR tells no status: until the server tells one again, a transaction that was open still
// is (also a deadlock's victim: a SIGNAL may bear that number too), and what may have begun one has. One thread.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "protocol/message/capabilities.hpp"
#include "proxy/session/gate_seat.hpp"
#include "proxy/session/response_tracker.hpp"

namespace sluice::session {

class transaction_tracker {
public:
    /// A login, a COM_CHANGE_USER or a COM_RESET_CONNECTION has ended well: nothing is open any more.
    void reset(protocol::status_flags status);
    /// A reply has ended; status is the server's last.
    void on_reply(const ended_reply& ended, protocol::status_flags status, time_point now);
    /// These watched tables have changed places since the transaction took its snapshot.
    void note_outdated(slot_mask swapped) noexcept { outdated_ |= swapped; }
    /// Those that the open transaction must not read by its snapshot.
    [[nodiscard]] slot_mask outdated() const noexcept { return outdated_; }
    /// The open transaction has, or may have, a snapshot by which later statements read: it has touched a table.
    [[nodiscard]] bool may_have_snapshot() const noexcept { return is_open() && has_touched(); }
    [[nodiscard]] bool begun_anew() const noexcept { return begun_anew_; }

    /// Tables begin to be watched. True if the session may use them.
    bool on_watch(slot_mask added) noexcept;

    /// A transaction is open (as the server says; begun by autocommit=0 included).
    [[nodiscard]] bool in_transaction() const noexcept { return in_transaction_; }
    /// LOCK TABLES, FLUSH TABLES ... WITH READ LOCK, an open HANDLER, or an XA transaction in any state before its end.
    [[nodiscard]] bool holds_locks() const noexcept {
        return tables_locked_ || globally_locked_ || !handlers_.empty() || xa_ != xa_state::none;
    }
    /// It has run what is not known: that may have locked, too. Not counted as a use of tables, which would never end.
    [[nodiscard]] bool may_hold_locks() const noexcept { return holds_locks() || may_have_locked_; }
    /// What is open has touched some table and so may hold locks. False for a bare BEGIN.
    [[nodiscard]] bool has_touched() const noexcept { return has_touched_ || has_locked_; }
    /// Watched tables that what is open may have touched.
    [[nodiscard]] slot_mask touched() const noexcept { return touched_ | locked_; }
    /// When that began (as its reply came).
    [[nodiscard]] time_point since() const noexcept { return since_; }

    /// More HANDLERs than this at once are remembered as so many.
    static constexpr std::size_t handlers_max = 256;

private:
    enum class xa_state : std::uint8_t { none, active, prepared };

    [[nodiscard]] bool is_open() const noexcept { return in_transaction_ || holds_locks(); }
    void adopt_statement(sql::statement_kind kind, bool certain, const std::string& handler);
    void adopt_reply(const ended_reply& ended);
    void adopt_status(const ended_reply& ended, protocol::status_flags status) noexcept;
    void close_handler(const std::string& alias);

    bool in_transaction_ = false;
    bool tables_locked_ = false;    // LOCK TABLES, FLUSH TABLES t ...
    bool globally_locked_ = false;  // FLUSH TABLES WITH READ LOCK
    bool may_have_locked_ = false;  // EXECUTE of a text that is not known
    xa_state xa_ = xa_state::none;
    bool begun_anew_ = false;  // by the reply that is being looked at
    bool locks_now_ = false;   // likewise: it may add to the locks that outlive a transaction
    bool has_touched_ = false;
    bool has_locked_ = false;
    std::vector<std::string> handlers_;  // aliases; empty where it is not known
    slot_mask touched_ = 0;              // by the transaction
    slot_mask locked_ = 0;               // by what outlives one
    slot_mask outdated_ = 0;
    time_point since_{};
};

}  // namespace sluice::session

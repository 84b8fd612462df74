#pragma once

// By what the transactions of a session read: one snapshot for all statements (REPEATABLE READ), or a new one for each
// (READ COMMITTED, READ UNCOMMITTED) or locks (SERIALIZABLE). Followed from the session's own statements; what the
// server's default is, and what a procedure may have set, is not known here. One thread.
//
// Source: MySQL Reference Manual, "SET TRANSACTION Statement", and "Transaction Isolation Levels".

#include <cstdint>
#include <string_view>

#include "protocol/sql/lexer.hpp"
#include "protocol/sql/statement_footprint.hpp"

namespace sluice::session {

enum class isolation : std::uint8_t {
    unknown,     ///< counts as repeatable_read
    repeatable,  ///< REPEATABLE READ
    anew,        ///< any other level
};

/// What a statement, once done, sets.
struct isolation_change {
    enum class scope_kind : std::uint8_t { none, next_transaction, session };
    scope_kind scope = scope_kind::none;
    isolation level = isolation::unknown;
};

/// kind: of the text's only statement, or `other` when it has several. A text that sets the level in a way that is not
/// understood sets the session's to unknown.
[[nodiscard]] isolation_change isolation_change_of(std::string_view text, sql::statement_kind kind,
                                                   const sql::lexer_options& options);

/// Whether a statement may read tables by the snapshot of its transaction. False for those that read by locks, do not
/// read, or end the transaction first. kind as above.
[[nodiscard]] bool reads_by_snapshot(std::string_view text, sql::statement_kind kind,
                                     const sql::lexer_options& options);

class isolation_tracker {
public:
    /// A statement has been done. in_transaction: as the server says behind it; begun_anew: it has begun a transaction,
    /// ending one that may have been open.
    void on_statement(const isolation_change& change, bool in_transaction, bool begun_anew) noexcept;
    /// The statement that has been done may have set the level, and begun a transaction, unseen. Before on_statement().
    void lose() noexcept {
        session_ = current_ = isolation::unknown;
        next_is_set_ = false;
    }
    /// The server says so of the open transaction.
    void note_reads_anew() noexcept { current_ = isolation::anew; }

    /// Of the open transaction; without one, of the next.
    [[nodiscard]] isolation level() const noexcept { return in_transaction_ ? current_ : next(); }

private:
    [[nodiscard]] isolation next() const noexcept { return next_is_set_ ? next_ : session_; }

    isolation session_ = isolation::unknown;
    isolation next_ = isolation::unknown;  // of the next transaction only
    isolation current_ = isolation::unknown;
    bool next_is_set_ = false;
    bool in_transaction_ = false;
};

}  // namespace sluice::session

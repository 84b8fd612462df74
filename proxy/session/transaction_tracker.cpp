#include "proxy/session/transaction_tracker.hpp"

namespace sluice::session {

namespace {

constexpr std::uint16_t error_deadlock = 1213;  // ER_LOCK_DEADLOCK: the server has rolled the transaction back

}  // namespace

void transaction_tracker::reset(protocol::status_flags status) noexcept {
    *this = {};
    in_transaction_ = (status & protocol::server_status::in_trans) != 0;
}

void transaction_tracker::on_reply(const ended_reply& ended, protocol::status_flags status, time_point now) noexcept {
    const bool was_open = is_open();
    begun_anew_ = false;
    adopt_reply(ended);
    adopt_status(ended, status);
    if (begun_anew_ || !is_open()) {
        touched_ = 0;
        has_touched_ = false;
    }
    if (!is_open()) return;
    if (begun_anew_ || !was_open) since_ = now;
    touched_ |= ended.expected.may_touch;
    has_touched_ = has_touched_ || ended.expected.touches_a_table;
}

bool transaction_tracker::on_watch(slot_mask added) noexcept {
    if (!is_open()) return false;
    touched_ |= added;
    has_touched_ = true;
    return true;
}

void transaction_tracker::adopt_reply(const ended_reply& ended) noexcept {
    const auto& expected = ended.expected;
    const bool certain = !ended.failed;
    if (expected.command == protocol::command::reset_connection) {
        if (certain) *this = {};
        return;
    }
    if (expected.command != protocol::command::query) return;
    if (expected.memory && expected.memory->statements.size() > 1) {
        for (const auto& statement : expected.memory->statements) adopt_statement(statement.kind, certain);
        // What they touched was noted for all of them together.
        begun_anew_ = false;
    } else if (certain) {
        adopt_statement(expected.kind, true);
    }
    if (expected.locks_by_flush && certain) tables_locked_ = true;
}

// Of a failed text of several statements some may have been done: then only what adds locks is believed.
void transaction_tracker::adopt_statement(sql::statement_kind kind, bool certain) noexcept {
    using enum sql::statement_kind;
    switch (kind) {
        case lock_tables: tables_locked_ = true; return;
        case handler_open: ++handlers_open_; return;
        case xa_start: in_xa_ = true; return;
        default: break;
    }
    if (!certain) return;
    switch (kind) {
        case start_transaction:
            tables_locked_ = false;  // BEGIN implies UNLOCK TABLES
            begun_anew_ = true;
            return;
        case commit:
        case rollback: begun_anew_ = true; return;
        case unlock_tables: tables_locked_ = false; return;
        case handler_close:
            if (handlers_open_ != 0) --handlers_open_;
            return;
        case xa_commit:
        case xa_rollback: in_xa_ = false; return;
        default: return;
    }
}

void transaction_tracker::adopt_status(const ended_reply& ended, protocol::status_flags status) noexcept {
    in_transaction_ = (status & protocol::server_status::in_trans) != 0;
    if (!ended.failed) return;
    // An ERR tells no status. A failed statement's locks stay with its transaction, and without autocommit it has begun
    // one; a deadlock's victim is rolled back whole.
    if (ended.error_code == error_deadlock) {
        in_transaction_ = false;
    } else if ((status & protocol::server_status::autocommit) == 0 &&
               ended.expected.command != protocol::command::ping) {
        in_transaction_ = true;
    }
}

}  // namespace sluice::session

#include "proxy/session/transaction_tracker.hpp"

#include <algorithm>

namespace sluice::session {

using protocol::command;
using sql::statement_kind;

namespace {

constexpr std::uint16_t error_parse = 1064;          // ER_PARSE_ERROR
constexpr std::uint16_t error_unknown_table = 1109;  // ER_UNKNOWN_TABLE: of HANDLER, an alias that is not open

bool is_several(const expected_reply& expected) noexcept {
    return expected.memory && expected.memory->statements.size() > 1;
}

// Whether a statement that failed may have begun a transaction before it did.
bool may_begin(const ended_reply& ended) noexcept {
    const auto& expected = ended.expected;
    const auto runs_others = [](statement_kind kind) {
        return kind == statement_kind::call || kind == statement_kind::execute;
    };
    if (is_several(expected)) {
        const auto& statements = expected.memory->statements;
        return std::any_of(statements.begin(), statements.end(), [&](const auto& statement) {
            return runs_others(statement.kind) || statement.kind == statement_kind::other;
        });
    }
    if (expected.command != command::query && expected.command != command::stmt_execute) return false;
    return runs_others(expected.kind) || (expected.kind == statement_kind::other && ended.error_code != error_parse);
}

}  // namespace

void transaction_tracker::reset(protocol::status_flags status) {
    *this = {};
    in_transaction_ = (status & protocol::server_status::in_trans) != 0;
}

void transaction_tracker::on_reply(const ended_reply& ended, protocol::status_flags status, time_point now) {
    const bool was_open = is_open();
    begun_anew_ = false;
    locks_now_ = false;
    adopt_reply(ended);
    adopt_status(ended, status);
    if (begun_anew_ || !in_transaction_) {
        touched_ = 0;
        outdated_ = 0;
        has_touched_ = false;
    }
    const bool locks = holds_locks();
    if (!locks) {
        locked_ = 0;
        has_locked_ = false;
    }
    if (!is_open()) return;
    if (!was_open || (begun_anew_ && !locks)) since_ = now;
    if (in_transaction_) {
        if (!ended.expected.takes_snapshot) touched_ |= ended.expected.may_touch;
        has_touched_ = has_touched_ || ended.expected.touches_a_table;
    }
    // Statements beside an open HANDLER add nothing to what outlives their own transaction.
    if (locks && (locks_now_ || tables_locked_ || globally_locked_ || xa_ != xa_state::none)) {
        locked_ |= ended.expected.may_touch;
        has_locked_ = has_locked_ || ended.expected.touches_a_table;
    }
}

bool transaction_tracker::on_watch(slot_mask added) noexcept {
    if (!is_open()) return false;
    if (in_transaction_) touched_ |= added;
    if (holds_locks()) locked_ |= added;
    has_touched_ = in_transaction_;
    has_locked_ = holds_locks();
    return true;
}

void transaction_tracker::adopt_reply(const ended_reply& ended) {
    const auto& expected = ended.expected;
    const bool certain = !ended.failed;
    if (expected.command == command::reset_connection) {
        if (certain) *this = {};
        return;
    }
    if (expected.command != command::query && expected.command != command::stmt_execute) return;
    if (is_several(expected)) {
        for (const auto& statement : expected.memory->statements) adopt_statement(statement.kind, certain, {});
        // What they touched was noted for all of them together.
        begun_anew_ = false;
        locks_now_ = true;
    } else {
        const bool is_handler =
            expected.kind == statement_kind::handler_open || expected.kind == statement_kind::handler_close;
        const auto alias = is_handler && expected.memory ? expected.memory->text : std::string();
        if (certain) adopt_statement(expected.kind, true, alias);
        // Closed long ago: by a change of the table's definition.
        if (is_handler && !alias.empty() && ended.error_code == error_unknown_table) close_handler(alias);
    }
    if (expected.may_lock && (certain || is_several(expected))) may_have_locked_ = true;
    if (expected.flush == flush_lock::none || (!certain && !is_several(expected))) return;
    (expected.flush == flush_lock::global ? globally_locked_ : tables_locked_) = true;
}

// Of a failed text of several statements some may have been done: then only what adds locks is believed.
void transaction_tracker::adopt_statement(statement_kind kind, bool certain, const std::string& handler) {
    using enum statement_kind;
    switch (kind) {
        case lock_tables: tables_locked_ = true; return;
        case handler_open:
            if (handlers_.size() < handlers_max) handlers_.push_back(handler);
            locks_now_ = true;
            return;
        case xa_start: xa_ = xa_state::active; return;
        default: break;
    }
    if (!certain) return;
    switch (kind) {
        case start_transaction:
            tables_locked_ = false;  // BEGIN implies UNLOCK TABLES, but for the global read lock
            begun_anew_ = true;
            break;
        case commit:
        case rollback: begun_anew_ = true; break;
        case unlock_tables: tables_locked_ = globally_locked_ = may_have_locked_ = false; return;
        case handler_close:
            if (handlers_.size() < handlers_max && !handlers_.empty()) {
                const auto found = std::find(handlers_.begin(), handlers_.end(), handler);
                handlers_.erase(found == handlers_.end() ? handlers_.begin() : found);
            }
            return;
        case xa_prepare: xa_ = xa_state::prepared; return;
        case xa_commit:
        case xa_rollback: xa_ = xa_state::none; return;
        default: return;
    }
    // A prepared XA transaction that still belonged to the session would have refused this (XAER_RMFAIL): from 8.0.29
    // on it belongs to nobody.
    if (xa_ == xa_state::prepared) xa_ = xa_state::none;
}

void transaction_tracker::close_handler(const std::string& alias) {
    const auto found = std::find(handlers_.begin(), handlers_.end(), alias);
    if (found != handlers_.end() && handlers_.size() < handlers_max) handlers_.erase(found);
}

void transaction_tracker::adopt_status(const ended_reply& ended, protocol::status_flags status) noexcept {
    const bool in_trans = (status & protocol::server_status::in_trans) != 0;
    if (ended.told_status) {
        in_transaction_ = in_trans;
        // Likewise: a transaction of its own beside a prepared one.
        if (in_trans && xa_ == xa_state::prepared) xa_ = xa_state::none;
    }
    if (!ended.failed) return;
    // A failed statement's locks stay with its transaction, and without autocommit it has begun one.
    const bool begins = (status & protocol::server_status::autocommit) == 0 && ended.expected.command != command::ping;
    if (begins || may_begin(ended)) in_transaction_ = true;
}

}  // namespace sluice::session

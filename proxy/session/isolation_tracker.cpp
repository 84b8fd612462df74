#include "proxy/session/isolation_tracker.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

#include "protocol/sql/classifier.hpp"

namespace sluice::session {

using sql::statement_kind;
using sql::token_kind;

namespace {

using scope_kind = isolation_change::scope_kind;

constexpr isolation_change not_understood{scope_kind::session, isolation::unknown};

isolation level_of(std::string_view name) {
    std::string upper(name);
    std::transform(upper.begin(), upper.end(), upper.begin(),
                   [](unsigned char c) { return c == '-' ? ' ' : static_cast<char>(std::toupper(c)); });
    if (upper == "REPEATABLE READ") return isolation::repeatable;
    constexpr std::array anew{"READ COMMITTED", "READ UNCOMMITTED", "SERIALIZABLE"};
    return std::find(anew.begin(), anew.end(), upper) != anew.end() ? isolation::anew : isolation::unknown;
}

// SET [SESSION | LOCAL | GLOBAL] TRANSACTION ISOLATION LEVEL two words or one, in any order with READ ONLY.
isolation_change change_by_set_transaction(std::string_view text, const sql::lexer_options& options) {
    sql::lexer lexer(text, options);
    auto scope = scope_kind::next_transaction;
    auto token = lexer.next();  // SET
    for (token = lexer.next(); token.kind != token_kind::end && !token.is("TRANSACTION"); token = lexer.next()) {
        if (token.is("GLOBAL")) return {};  // no session's, and the engine asks the server
        scope = scope_kind::session;
    }
    for (token = lexer.next(); token.kind != token_kind::end && !token.is("LEVEL"); token = lexer.next()) {
    }
    if (token.kind == token_kind::end) return {};  // the access mode alone
    const auto first = lexer.next();
    if (first.is("SERIALIZABLE")) return {scope, isolation::anew};
    return {scope, level_of(std::string(first.text) + ' ' + std::string(lexer.next().text))};
}

// SET [SESSION | LOCAL] transaction_isolation = 'level', nothing else: the assignments of others are not told apart
// finely enough (SET @@transaction_isolation is about the next transaction only).
isolation_change change_by_set(std::string_view text, const sql::lexer_options& options) {
    if (text.find('@') != std::string_view::npos || text.find(',') != std::string_view::npos) return not_understood;
    const auto footprint = sql::classify(text, {options});
    if (footprint.statements.size() != 1 || footprint.statements[0].assignments.size() != 1) return not_understood;
    const auto& one = footprint.statements[0].assignments[0];
    if (one.scope == sql::assignment::scope_kind::global) return {};
    if (one.name != "transaction_isolation" && one.name != "tx_isolation") return not_understood;
    std::string_view value = one.value;
    if (value.size() >= 2 && (value.front() == '\'' || value.front() == '"')) {
        value = value.substr(1, value.size() - 2);
    }
    return {scope_kind::session, level_of(value)};
}

// A plain SELECT of one query block that locks all it reads.
bool locks_what_it_reads(std::string_view text, const sql::lexer_options& options) {
    sql::lexer lexer(text, options);
    int blocks = 0;
    bool locks = false;
    sql::token before;
    for (auto token = lexer.next(); token.kind != token_kind::end; token = lexer.next()) {
        if (token.is("SELECT") || token.is("TABLE") || token.is("WITH") || token.is("CALL")) ++blocks;
        if (before.is("FOR") && (token.is("UPDATE") || token.is("SHARE"))) locks = true;
        if (before.is("SHARE") && token.is("MODE")) locks = true;
        if (locks && token.is("OF")) return false;
        before = token;
    }
    return locks && blocks == 1;
}

}  // namespace

isolation_change isolation_change_of(std::string_view text, statement_kind kind, const sql::lexer_options& options) {
    if (kind != statement_kind::set_transaction && kind != statement_kind::set && kind != statement_kind::other) {
        return {};
    }
    if (!sql::mentions(text, "isolation")) return {};
    if (kind == statement_kind::set_transaction) return change_by_set_transaction(text, options);
    return kind == statement_kind::set ? change_by_set(text, options) : not_understood;
}

bool reads_by_snapshot(std::string_view text, statement_kind kind, const sql::lexer_options& options) {
    using enum statement_kind;
    switch (kind) {
        case insert:
        case update:
        case delete_:
        case replace:
        case load_data: return sql::mentions(text, "select") || sql::mentions(text, "table");
        case select: return !locks_what_it_reads(text, options);
        // CHECK and CHECKSUM TABLE read; other DDL ends the transaction, or reads by locks.
        case ddl: return sql::mentions(text, "check");
        // These end the transaction, and its snapshot, before they do anything.
        case start_transaction:
        case lock_tables:
        // These read no rows of tables.
        case prepare:
        case deallocate:
        case handler_close:
        case show: return false;
        default: return true;
    }
}

void isolation_tracker::on_statement(const isolation_change& change, bool in_transaction, bool begun_anew) noexcept {
    if (change.scope == scope_kind::session) session_ = change.level;
    if (change.scope == scope_kind::next_transaction && !in_transaction) {
        next_ = change.level;
        next_is_set_ = true;
        in_transaction_ = false;
        return;
    }
    const bool begins = in_transaction && (begun_anew || !in_transaction_);
    if (begins) {
        // Whether a transaction that follows another one at once has its level (AND CHAIN) or the session's is not
        // looked at: the same is certain.
        current_ = in_transaction_ && next() != current_ ? isolation::unknown : next();
        next_is_set_ = false;
    } else if (!in_transaction && next_is_set_) {
        // Whether the statement has used it up is not known.
        next_ = next() == session_ ? session_ : isolation::unknown;
    }
    in_transaction_ = in_transaction;
}

}  // namespace sluice::session

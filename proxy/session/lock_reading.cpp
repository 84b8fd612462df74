#include "proxy/session/lock_reading.hpp"

#include <algorithm>

#include "protocol/sql/classifier.hpp"

namespace sluice::session {

using sql::statement_kind;
using sql::token_kind;

flush_lock flush_lock_of(std::string_view text, statement_kind kind, const sql::lexer_options& options) {
    if (kind != statement_kind::flush && kind != statement_kind::other) return flush_lock::none;
    if (!sql::mentions(text, "flush")) return flush_lock::none;
    sql::lexer lexer(text, options);
    auto found = flush_lock::none;
    bool in_flush = false;
    bool after_tables = false;  // FLUSH TABLES WITH ... names none
    bool global = false;
    for (auto token = lexer.next(); token.kind != token_kind::end; token = lexer.next()) {
        if (token.is("FLUSH")) {
            in_flush = true;
            global = false;
        } else if (in_flush) {
            if (after_tables && token.is("WITH")) global = true;
            if (token.is_symbol(';')) in_flush = false;
            if (token.is("LOCK") || token.is("EXPORT"))
                found = std::max(found, global ? flush_lock::global : flush_lock::tables);
        }
        after_tables = token.is("TABLES") || token.is("TABLE");
    }
    return found;
}

std::string handler_alias(std::string_view text, const sql::lexer_options& options) {
    sql::lexer lexer(text, options);
    std::string_view alias;
    bool opens = false;
    bool is_handler = false;
    for (auto token = lexer.next(); token.kind != token_kind::end; token = lexer.next()) {
        if (token.is("HANDLER") && !is_handler) {
            is_handler = true;
        } else if (token.is("OPEN") && !alias.empty()) {
            opens = true;
        } else if (token.is("CLOSE") && !opens && !alias.empty()) {
            break;
        } else if (token.is_identifier() && !(opens && token.is("AS"))) {
            alias = token.text;
        }
    }
    if (!is_handler || alias.empty()) return {};
    if (alias.size() >= 2 && (alias.front() == '`' || alias.front() == '"')) alias = alias.substr(1, alias.size() - 2);
    std::string lowered(alias);
    std::transform(lowered.begin(), lowered.end(), lowered.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return lowered;
}

}  // namespace sluice::session

#include "migration/apply/logged_statement.hpp"

#include "protocol/sql/alter_statement.hpp"
#include "protocol/sql/classifier.hpp"

#include <algorithm>

namespace sluice::migration {
namespace {

std::string_view behind_set_statement(std::string_view text, const sql::lexer_options& options) {
    sql::lexer lex(text, options);
    if (!lex.next().is("SET") || !lex.next().is("STATEMENT")) return text;
    int depth = 0;
    for (sql::token now = lex.next(); now.kind != sql::token_kind::end; now = lex.next()) {
        if (now.is_symbol('(')) ++depth;
        if (now.is_symbol(')')) --depth;
        if (depth == 0 && now.is("FOR")) return behind_set_statement(text.substr(lex.position()), options);
    }
    return text;
}

}  // namespace

logged_statement::logged_statement(const binlog::query_event& event, bool of_mariadb)
    : variables_(binlog::query_variables::of(event)) {
    lexer_.ansi_quotes = variables_.ansi_quotes;
    lexer_.no_backslash_escapes = variables_.no_backslash_escapes;
    lexer_.charset = sql::multibyte_charset_of_collation(variables_.client_collation);
    lexer_.mariadb = of_mariadb;
    text_ = of_mariadb ? behind_set_statement(event.statement, lexer_) : event.statement;
}

bool logged_statement::changes_rows(bool in_transaction) const {
    using kind = sql::statement_kind;
    switch (sql::cheap_kind(text_, lexer_)) {
        case kind::delete_: return in_transaction;
        case kind::insert:
        case kind::update:
        case kind::replace:
        case kind::load_data:
        // Of these only calls of stored functions that change something are logged; what they change is not said.
        case kind::select:
        case kind::do_:
        case kind::call:
        // WITH, and what nobody knows.
        case kind::other: return true;
        // Refused by MySQL where a function in it changes another table (error 1746).
        case kind::ddl: return lexer_.mariadb && makes_table_of_rows();
        default: return false;
    }
}

bool logged_statement::makes_table_of_rows() const {
    sql::lexer lex(text_, lexer_);
    if (!lex.next().is("CREATE")) return false;
    sql::token now = lex.next();
    while (now.is("OR") || now.is("REPLACE") || now.is("TEMPORARY")) now = lex.next();
    if (!now.is("TABLE")) return false;
    for (bool behind_values = false; now.kind != sql::token_kind::end; now = lex.next()) {
        // A partition's VALUES are followed by words.
        if (now.is("SELECT") || (behind_values && now.is_symbol('('))) return true;
        behind_values = now.is("VALUES");
    }
    return false;
}

bool logged_statement::may_take_rows_away() const {
    sql::lexer lex(text_, lexer_);
    const sql::token first = lex.next();
    if (first.is("TRUNCATE") || first.is("DROP") || first.is("RENAME")) {
        const sql::token what = lex.next();
        return !first.is("DROP") || what.is("TABLE") || what.is("TABLES");
    }
    if (first.is("CREATE")) return lex.next().is("OR");  // OR REPLACE TABLE, of MariaDB; a view has no rows
    if (!first.is("ALTER")) return false;
    for (sql::token now = lex.next(); now.kind != sql::token_kind::end; now = lex.next()) {
        if (now.is("PARTITION") || now.is("TABLESPACE") || now.is("RENAME")) return true;
    }
    return false;
}

bool logged_statement::is_about_foreign_keys() const {
    using kind = sql::alter_clause_kind;
    const auto alter = sql::parse_alter(text_, lexer_);
    return alter && std::ranges::all_of(alter->clauses, [](const sql::alter_clause& clause) {
               return clause.kind == kind::add_foreign_key || clause.kind == kind::drop_foreign_key ||
                      clause.kind == kind::algorithm || clause.kind == kind::lock;
           });
}

bool logged_statement::redefines(const sql::table_name& table, const std::vector<sql::table_name>& names,
                                 int lower_case_table_names) const {
    sql::lexer lex(text_, lexer_);
    const sql::token first = lex.next();
    if (first.is("CREATE") || first.is("DROP")) {
        // [UNIQUE] INDEX ... ON t; ONLINE and the like may stand between.
        for (int words = 0; words < 3; ++words) {
            if (lex.next().is("INDEX")) return true;
        }
        return false;
    }
    if (!first.is("ALTER") || names.empty()) return false;
    sql::token what = lex.next();
    while (what.is("ONLINE") || what.is("OFFLINE") || what.is("IGNORE")) what = lex.next();
    return what.is("TABLE") && sql::may_be_same_name(names.front().name, table.name, lower_case_table_names);
}

}  // namespace sluice::migration

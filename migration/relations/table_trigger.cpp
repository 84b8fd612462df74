#include "migration/relations/table_trigger.hpp"

#include "migration/sql/identifier.hpp"
#include "protocol/sql/lexer.hpp"

namespace sluice::migration {
namespace {

/// user@host as an account in a statement; the host follows the last '@'.
std::string account(std::string_view definer) {
    const auto at = definer.rfind('@');
    const auto quoted = [](std::string_view name) {
        std::string text = "`";
        for (const char c : name) text.append(c == '`' ? 2 : 1, c);
        return text + '`';
    };
    if (at == std::string_view::npos) return quoted(definer);  // MariaDB: a role
    if (at + 1 == definer.size()) return quoted(definer.substr(0, at));
    return quoted(definer.substr(0, at)) + '@' + quoted(definer.substr(at + 1));
}

sql::lexer_options reading_of(const table_trigger& trigger, bool mariadb_comments) {
    sql::lexer_options options;
    sql::adopt_sql_mode(options, trigger.sql_mode);
    options.charset = sql::multibyte_charset_of_name(trigger.charset_client);
    options.mariadb = mariadb_comments;
    return options;
}

}  // namespace

std::string new_trigger_name(std::string_view name, std::string_view suffix, bool remove) {
    if (remove && name.size() > suffix.size() && name.ends_with(suffix)) {
        return std::string(name.substr(0, name.size() - suffix.size()));
    }
    return std::string(name) + std::string(suffix);
}

// FOR and EACH are reserved words: unquoted they can stand nowhere else in the head.
outcome<std::string> body_of(const table_trigger& trigger, bool mariadb_comments) {
    const auto unreadable = [&] {
        return refuse("trigger_unreadable", "trigger " + quote_identifier(trigger.name) +
                                                " cannot be made again: its statement has no FOR EACH ROW that could "
                                                "be found");
    };
    const auto options = reading_of(trigger, mariadb_comments);
    sql::lexer lexer(trigger.statement, options);
    while (true) {
        const auto token = lexer.next();
        if (token.kind == sql::token_kind::end) return unreadable();
        if (!token.is("FOR")) continue;
        if (!lexer.next().is("EACH") || !lexer.next().is("ROW")) return unreadable();
        break;
    }
    std::size_t body = lexer.position();
    if (const auto first = lexer.next(); first.is("FOLLOWS") || first.is("PRECEDES")) {
        // Otherwise it is the label of a block.
        if (lexer.next().is_identifier()) body = lexer.position();
    }
    if (trigger.statement.find_first_not_of(" \t\r\n", body) == std::string::npos) return unreadable();
    return trigger.statement.substr(body);
}

std::string trigger_head(const table_trigger& trigger, const std::string& new_name, const table_name& table) {
    return "CREATE DEFINER=" + account(trigger.definer) + " TRIGGER " + quote_identifier(table.schema) + '.' +
           quote_identifier(new_name) + ' ' + trigger.timing + ' ' + trigger.event + " ON " + quote_table(table) +
           " FOR EACH ROW";
}

std::string trigger_session_statement(const table_trigger& trigger) {
    return "SET SESSION character_set_client = " + quote_string(trigger.charset_client) +
           ", collation_connection = " + quote_string(trigger.collation_connection) +
           ", sql_mode = " + quote_string(trigger.sql_mode);
}

std::string drop_trigger_statement(const std::string& schema, const std::string& name) {
    return "DROP TRIGGER IF EXISTS " + quote_identifier(schema) + '.' + quote_identifier(name);
}

}  // namespace sluice::migration

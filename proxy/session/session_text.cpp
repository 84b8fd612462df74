#include "proxy/session/session_text.hpp"

#include <charconv>

namespace sluice::session {

namespace {

bool is_plain_string(std::string_view value) noexcept {
    return value.size() >= 2 && (value.front() == '\'' || value.front() == '"') && value.back() == value.front() &&
           value.find(value.front(), 1) == value.size() - 1;
}

// 'x', "x", `x` or x: the names that SET NAMES and its kin take.
std::string_view unquoted(std::string_view value) noexcept {
    const bool quoted = value.size() >= 2 && value.front() == value.back() &&
                        (value.front() == '\'' || value.front() == '"' || value.front() == '`');
    return quoted ? value.substr(1, value.size() - 2) : value;
}

}  // namespace

std::uint32_t parse_server_version(std::string_view version) noexcept {
    // Servers of MariaDB 10 and later put "5.5.5-" in front, for replicas of old.
    constexpr std::string_view replication_prefix = "5.5.5-";
    if (version.starts_with(replication_prefix)) version.remove_prefix(replication_prefix.size());
    std::uint32_t number = 0;
    const char* at = version.data();
    const char* const end = at + version.size();
    for (int part = 0; part < 3; ++part) {
        std::uint32_t value = 0;
        const auto parsed = std::from_chars(at, end, value);
        if (parsed.ec != std::errc{} || value > 99) return 0;
        number = number * 100 + value;
        at = parsed.ptr;
        if (part < 2) {
            if (at == end || *at != '.') return 0;
            ++at;
        }
    }
    return number;
}

void session_text::adopt_login(const login_facts& facts) {
    *this = {};
    rules_.options.server_version = parse_server_version(facts.server_version);
    rules_.options.mariadb = facts.server_version.find("MariaDB") != std::string::npos;
    login_charset_ = sql::multibyte_charset_of_collation(facts.collation_id);
    rules_.options.charset = login_charset_;
    lose_quotes();
    schema_ = facts.schema;
    adopt_status(facts.status);
}

void session_text::adopt_status(protocol::status_flags status) noexcept {
    rules_.options.no_backslash_escapes = (status & protocol::server_status::no_backslash_escapes) != 0;
    if ((status & protocol::server_status::db_dropped) != 0) schema_.clear();
    if (rules_.options.mariadb) rules_.options.ansi_quotes = (status & protocol::server_status::ansi_quotes) != 0;
}

void session_text::reset() {
    rules_.options.charset = login_charset_;
    rules_.options.ansi_quotes = false;
    lose_quotes();
}

void session_text::adopt_reply(const ended_reply& ended) {
    const auto& expected = ended.expected;
    // A text that is not known may be a SET. A procedure's own sql_mode ends with it.
    const bool runs_unknown = expected.command == protocol::command::stmt_execute &&
                              expected.kind == sql::statement_kind::other && expected.runs_several;
    if (expected.may_lock || runs_unknown) lose_quotes();
    if (expected.memory) {
        // Of a failed text of several statements, some may have been done.
        const bool certain = !ended.failed;
        if (certain || expected.memory->statements.size() > 1) {
            for (const auto& statement : expected.memory->statements) adopt_statement(statement, certain);
        }
        if (certain && expected.command == protocol::command::init_db) schema_ = expected.memory->text;
    }
    if (!ended.failed && expected.command == protocol::command::reset_connection) reset();
    const auto& told = ended.changes;
    if (told.schema) schema_ = *told.schema;
    if (told.incomplete && !told.schema) schema_.clear();
    if (told.character_set_client) rules_.options.charset = sql::multibyte_charset_of_name(*told.character_set_client);
    if (told.sql_mode) {
        rules_.quotes_certain = true;
        sql::adopt_sql_mode(rules_.options, *told.sql_mode);
    }
}

void session_text::adopt_statement(const sql::statement_summary& statement, bool certain) {
    if (statement.kind == sql::statement_kind::use) {
        // In double quotes it is a name after all.
        schema_ = certain && !statement.schema.starts_with('"') ? statement.schema : std::string();
    } else if (statement.kind == sql::statement_kind::set) {
        for (const auto& assignment : statement.assignments) adopt_assignment(assignment, certain);
    }
}

void session_text::adopt_assignment(const sql::assignment& assignment, bool certain) {
    if (assignment.scope != sql::assignment::scope_kind::session) return;
    if (assignment.name == "sql_mode") {
        if (certain) {
            adopt_sql_mode(assignment.value);
        } else {
            lose_quotes();
        }
    } else if (assignment.name == "names" || assignment.name == "character set" ||
               assignment.name == "character_set_client") {
        rules_.options.charset = sql::multibyte_charset_of_name(unquoted(assignment.value));
    }
}

void session_text::adopt_sql_mode(std::string_view value) {
    // MariaDB tells ANSI_QUOTES with every status; elsewhere only a literal says what the mode will be.
    if (rules_.options.mariadb) return;
    rules_.quotes_certain = is_plain_string(value);
    if (!rules_.quotes_certain) return;
    const bool no_backslash_escapes = rules_.options.no_backslash_escapes;
    sql::adopt_sql_mode(rules_.options, unquoted(value));
    rules_.options.no_backslash_escapes = no_backslash_escapes;
}

}  // namespace sluice::session

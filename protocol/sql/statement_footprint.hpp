#pragma once

// What the proxy needs to know of a text before it sends it on: what kind of statements it holds, what they do to the
// transaction, and which tables they might touch. Owns its strings, so it can be kept with a prepared statement.
// Values; safe from any thread while nobody writes.
//
// It errs towards "may touch". It cannot know what a view, a stored function, a trigger or a foreign key reaches: the
// server-side lock at the cut-over covers those, the footprint only decides who waits gracefully.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/sql/lexer.hpp"

namespace sluice::sql {

enum class statement_kind : std::uint8_t {
    empty,   ///< nothing but blanks and comments
    select,  ///< SELECT, TABLE, VALUES, WITH ... SELECT, in parentheses too
    insert,
    update,   ///< WITH ... UPDATE too
    delete_,  ///< WITH ... DELETE too
    replace,
    load_data,          ///< LOAD DATA / LOAD XML; see statement_summary::local
    ddl,                ///< CREATE, ALTER, DROP, RENAME, TRUNCATE, GRANT, REVOKE and table maintenance
    start_transaction,  ///< BEGIN, START TRANSACTION
    commit,
    rollback,
    rollback_to_savepoint,
    savepoint,
    release_savepoint,
    set,  ///< variables, NAMES, CHARACTER SET, PASSWORD, ROLE; see statement_summary::assignments
    set_transaction,
    lock_tables,
    unlock_tables,
    flush,
    handler_open,
    handler_read,
    handler_close,
    xa_start,
    xa_end,
    xa_prepare,
    xa_commit,
    xa_rollback,
    xa_recover,
    call,
    prepare,
    execute,
    deallocate,
    use,
    show,
    kill,
    explain,  ///< EXPLAIN, DESCRIBE, DESC
    do_,
    administration,  ///< replication, plug-ins, RESET, PURGE, SHUTDOWN, instance locks, HELP: no user tables
    other,           ///< unknown: may be anything
};

[[nodiscard]] std::string_view to_string(statement_kind kind) noexcept;

/// What a statement does to the transaction by its text alone. With autocommit=0 any statement may open one besides.
enum class transaction_effect : std::uint8_t {
    none,
    opens,            ///< BEGIN, START TRANSACTION, XA START; COMMIT AND CHAIN ends one and opens the next
    ends,             ///< COMMIT, ROLLBACK, XA COMMIT, XA ROLLBACK, XA PREPARE (which keeps its metadata locks!)
    implicit_commit,  ///< DDL, LOCK TABLES, FLUSH, account and replication statements
    may_change,       ///< CALL, EXECUTE, SET autocommit, UNLOCK TABLES, unknown
};

/// One assignment of a SET statement.
struct assignment {
    enum class scope_kind : std::uint8_t {
        session,  ///< unmarked, SESSION, LOCAL, @@session., @@local., @@
        global,   ///< GLOBAL, PERSIST, PERSIST_ONLY
        user,     ///< @x
    };
    scope_kind scope = scope_kind::session;
    std::string name;   ///< in lower case: "autocommit", "sql_mode", "names", "character set", "password", "role"
    std::string value;  ///< source text of the right side, quotes included, at most 256 bytes of it; may be empty
};

struct statement_summary {
    statement_kind kind = statement_kind::empty;
    transaction_effect effect = transaction_effect::none;
    bool local = false;                   ///< LOAD DATA LOCAL
    bool consistent_snapshot = false;     ///< START TRANSACTION WITH CONSISTENT SNAPSHOT
    bool read_only = false;               ///< START TRANSACTION READ ONLY
    bool chain = false;                   ///< COMMIT/ROLLBACK AND CHAIN
    bool release = false;                 ///< COMMIT/ROLLBACK RELEASE: the server hangs up
    std::string schema;                   ///< of USE
    std::vector<assignment> assignments;  ///< of SET; bounded to 64
};

struct table_name {
    std::string schema;  ///< empty: the default schema at that moment
    std::string name;
    bool operator==(const table_name&) const = default;
};

/// Whether two names of schemas or tables may be one. lower_case_table_names as the server's variable: 0 compares
/// bytes, 1 and 2 ignore case. Two names that both hold non-ASCII bytes always may: the client's character set is not
/// the one that the other name came in, and case folding of letters outside ASCII is the server's business.
[[nodiscard]] bool may_be_same_name(std::string_view a, std::string_view b, int lower_case_table_names) noexcept;

struct statement_footprint {
    std::vector<statement_summary> statements;  ///< in order; empty statements left out; bounded (classifier.hpp)
    std::vector<table_name> names;              ///< every identifier that may name a table, once each; bounded
    bool touches_anything = false;              ///< CALL, EXECUTE, unknown statements, broken text, too many names
    lexer_trouble trouble = lexer_trouble::none;

    /// table must have both parts. An empty default_schema means unknown, which matches every schema.
    [[nodiscard]] bool may_touch(const table_name& table, std::string_view default_schema,
                                 int lower_case_table_names) const noexcept;
    /// Touches no table whatsoever: nothing to ask may_touch() for.
    [[nodiscard]] bool touches_nothing() const noexcept { return !touches_anything && names.empty(); }

    [[nodiscard]] bool has(statement_kind kind) const noexcept;
    /// Kind of the first statement; `empty` if there is none.
    [[nodiscard]] statement_kind first_kind() const noexcept;
    /// The state in which the whole text leaves the transaction: the last effect that is not `none`.
    [[nodiscard]] transaction_effect effect() const noexcept;
};

}  // namespace sluice::sql

#pragma once

// The body of an ALTER TABLE, split into its clauses: enough for the engine to map columns by name, to see index
// changes, and to refuse what a ghost table cannot do. Deeper syntax is left to the server, which alters the empty
// ghost first. Never by substring: words in comments, strings, defaults and quoted names do not count. Source:
// MySQL 9.7 Reference Manual, "ALTER TABLE Statement"; MariaDB's IF [NOT] EXISTS is accepted. Pure functions; safe from
// any thread. Statement text is UTF-8 here (it comes from HTTP, the command line or a file).

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/result.hpp"
#include "protocol/sql/lexer.hpp"
#include "protocol/sql/statement_footprint.hpp"

namespace sluice::sql {

enum class alter_clause_kind : std::uint8_t {
    add_column,        ///< columns
    drop_column,       ///< name
    modify_column,     ///< name
    change_column,     ///< name -> new_name (which may be equal)
    rename_column,     ///< name -> new_name
    alter_column,      ///< name: SET DEFAULT, DROP DEFAULT, SET VISIBLE
    add_index,         ///< index; name may be empty; columns
    drop_index,        ///< index, name ("PRIMARY" for the primary key)
    rename_index,      ///< name -> new_name
    alter_index,       ///< name: VISIBLE / INVISIBLE
    add_foreign_key,   ///< name may be empty; columns; new_name is the referenced table
    drop_foreign_key,  ///< name
    add_check,         ///< name may be empty
    drop_check,        ///< name
    alter_check,       ///< name; [NOT] ENFORCED
    drop_constraint,   ///< name: DROP CONSTRAINT, a key, foreign key or check
    rename_table,      ///< new_name; parse_alter() refuses it, so it never reaches the engine
    convert_charset,   ///< value: the character set
    default_charset,   ///< value: the character set, or empty with COLLATE alone
    engine,            ///< value
    auto_increment,    ///< value
    row_format,        ///< value
    algorithm,         ///< value
    lock,              ///< value
    order_by,
    force,
    keys_state,    ///< DISABLE KEYS, ENABLE KEYS
    validation,    ///< WITH VALIDATION, WITHOUT VALIDATION
    tablespace,    ///< DISCARD, IMPORT; parse_alter() refuses them
    partition,     ///< PARTITION BY, ADD/DROP/... PARTITION, REMOVE PARTITIONING; value is the first words
    table_option,  ///< any other `name [=] value`; name in upper case, value
};

[[nodiscard]] std::string_view to_string(alter_clause_kind kind) noexcept;

enum class index_kind : std::uint8_t { plain, unique, primary, fulltext, spatial };

struct added_column {
    std::string name;
    bool generated = false;  ///< AS (...) / GENERATED ALWAYS AS (...)
    bool not_null = false;   ///< NOT NULL said outright
    bool auto_increment = false;
    bool has_default = false;            ///< DEFAULT said outright
    index_kind key = index_kind::plain;  ///< UNIQUE or PRIMARY KEY as a column attribute; plain: none
};

struct alter_clause {
    alter_clause_kind kind = alter_clause_kind::table_option;
    std::string text;  ///< source text of the clause, without outer blanks
    std::string name;  ///< see alter_clause_kind; quotes taken off
    std::string new_name;
    std::string value;
    index_kind index = index_kind::plain;  ///< of add_index and drop_index (drop_index: primary or plain)
    std::vector<added_column> columns;     ///< of add_column, change_column, modify_column
    std::vector<std::string> key_columns;  ///< of add_index and add_foreign_key; "" for an expression part
    bool conditional = false;              ///< IF EXISTS / IF NOT EXISTS (MariaDB)
};

struct alter_statement {
    std::optional<table_name> table;  ///< given only if the text had an ALTER TABLE prefix
    std::string body;                 ///< what follows the prefix; goes after "ALTER TABLE ghost "
    std::vector<alter_clause> clauses;

    /// Name after the ALTER of a column of the original; nullopt if it is dropped. Names compare without ASCII case.
    [[nodiscard]] std::optional<std::string> new_name_of(std::string_view column) const;
    [[nodiscard]] bool has(alter_clause_kind kind) const noexcept;
    /// ADD UNIQUE or ADD PRIMARY KEY, as a clause or as an attribute of a column.
    [[nodiscard]] bool adds_unique_key() const noexcept;
};

struct alter_error {
    std::string message;     ///< says what is wrong and names the piece, fit to be shown
    std::string piece;       ///< the offending piece of the text, at most 80 bytes
    std::size_t offset = 0;  ///< of that piece in the text
};

/// text: "ADD COLUMN c INT, DROP d" or "ALTER TABLE s.t ADD COLUMN c INT"; a trailing semicolon is allowed.
/// Refused: an empty text, unclosed quotes or parentheses, several statements, RENAME TO, DISCARD/IMPORT TABLESPACE,
/// a clause that begins with no known word, a clause without the name that it must have.
[[nodiscard]] result<alter_statement, alter_error> parse_alter(std::string_view text,
                                                               const lexer_options& options = {});

}  // namespace sluice::sql

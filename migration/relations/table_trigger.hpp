#pragma once

// Triggers as values: what the server says of one, the name that its successor on the new table gets, and the statement
// that makes it. Pure functions; safe from any thread.
// Source: MySQL 9.7 Reference Manual, "CREATE TRIGGER Statement", "SHOW CREATE TRIGGER Statement"; MariaDB Knowledge
// Base, "CREATE TRIGGER".

#include "migration/model/failure.hpp"
#include "migration/model/table_description.hpp"

#include <string>
#include <string_view>

namespace sluice::migration {

struct table_trigger {
    std::string name;     ///< UTF-8
    std::string timing;   ///< BEFORE, AFTER
    std::string event;    ///< INSERT, UPDATE, DELETE
    std::string definer;  ///< user@host, as information_schema has it
    /// As SHOW CREATE TRIGGER has it with character_set_results = NULL: bytes in character_set_client. The text in
    /// information_schema is a translation, and a lossy one.
    std::string statement;
    std::string sql_mode;
    std::string charset_client;
    std::string collation_connection;
    std::string database_collation;

    bool operator==(const table_trigger&) const = default;
};

/// The name with the suffix behind it; with remove, the name without the suffix where it ends with it (and is not the
/// suffix itself).
[[nodiscard]] std::string new_trigger_name(std::string_view name, std::string_view suffix, bool remove);

/// What stands behind FOR EACH ROW and an order clause: the body, byte for byte. "trigger_unreadable" where the
/// statement has no such place.
[[nodiscard]] outcome<std::string> body_of(const table_trigger& trigger, bool mariadb_comments);

/// The head of the statement that makes the trigger on another table, up to FOR EACH ROW, in UTF-8. The body goes
/// behind it in the bytes that it has.
[[nodiscard]] std::string trigger_head(const table_trigger& trigger, const std::string& new_name,
                                       const table_name& table);

/// SET of what a trigger remembers of the session that makes it.
[[nodiscard]] std::string trigger_session_statement(const table_trigger& trigger);

/// DROP TRIGGER of a trigger of this schema, with IF EXISTS.
[[nodiscard]] std::string drop_trigger_statement(const std::string& schema, const std::string& name);

}  // namespace sluice::migration

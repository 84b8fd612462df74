#pragma once

// What differs between families of servers, in one place: how positions are read, whether visibility can be confirmed,
// what information_schema says, who holds a lock, which privileges there are. Everything else of the engine is written
// for all of them. Immutable; safe from any thread.
//
//   mysql    MySQL >= 8.0.13: RENAME under LOCK TABLES; with gtid_mode=ON positions are GTID sets
//   mysql_5  MySQL 5.6.5 and later, up to 8.0.12: file and position, share-lock reads, whatever gtid_mode is
//   mariadb  MariaDB >= 10.5.2: file and position, share-lock reads (its GTIDs say nothing about visibility)
//
// Sources: MySQL 5.6, 8.0 and 9.7 Reference Manuals; MariaDB Knowledge Base; each fact tried on 5.6.24, 9.7 and 10.11.

#include "migration/check/named_cells.hpp"
#include "migration/model/failure.hpp"
#include "migration/model/table_description.hpp"
#include "migration/ports/sql_executor.hpp"
#include "migration/sql/delta_statements.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::migration {

class server_family {
public:
    virtual ~server_family() = default;

    /// "MySQL" or "MariaDB", for messages.
    [[nodiscard]] virtual std::string_view product() const noexcept = 0;

    // --- the binary log ---

    /// Whether a transaction's visibility can be confirmed by its GTID (WAIT_FOR_EXECUTED_GTID_SET), and positions be
    /// GTID sets. If not, reads take share locks, which wait for rows of transactions that are logged but not yet
    /// committed in the engine.
    [[nodiscard]] virtual bool confirms_by_gtid(bool gtid_mode_on) const noexcept = 0;
    /// Its first two columns are file and position of the log's end; it also has Binlog_Do_DB and Binlog_Ignore_DB.
    [[nodiscard]] virtual std::string_view binlog_status_statement() const noexcept = 0;

    // --- statements ---

    /// RENAME TABLE of tables that the session holds under LOCK TABLES … WRITE works.
    [[nodiscard]] virtual bool rename_under_lock() const noexcept = 0;
    /// RENAME sleeps for a while when it meets a table's file with writes that are not flushed yet, or under way.
    [[nodiscard]] virtual bool rename_sleeps_for_writes() const noexcept = 0;
    /// The form in which the server finds a set of composite keys along an index.
    [[nodiscard]] virtual key_set_form key_form() const noexcept = 0;
    /// JSON_STORAGE_SIZE() is there, which tells JSON numbers of different types apart.
    [[nodiscard]] virtual bool has_json_sizes() const noexcept { return false; }
    /// A CHECK constraint keeps its name in CREATE TABLE … LIKE, since such names belong to their table.
    [[nodiscard]] virtual bool check_names_belong_to_table() const noexcept = 0;
    /// The algorithm of ALTER TABLE that copies no rows, or comes nearest to that: INPLACE may rebuild a table,
    /// MariaDB's NOCOPY never does.
    [[nodiscard]] virtual std::string_view inplace_algorithm() const noexcept { return "INPLACE"; }
    /// What stands in an executable comment of MariaDB's own is code, see sql::lexer_options::mariadb.
    [[nodiscard]] virtual bool reads_mariadb_comments() const noexcept { return false; }

    // --- values that are converted; see conversion_settings ---

    [[nodiscard]] virtual bool text_must_be_integer() const noexcept { return false; }
    [[nodiscard]] virtual bool rounds_before_sign() const noexcept { return true; }

    // --- what the server says of tables ---

    /// InnoDB's own list of tables, in information_schema: NAME and TABLE_ID.
    [[nodiscard]] virtual std::string_view tables_view() const noexcept { return "INNODB_SYS_TABLES"; }
    /// InnoDB's own list of foreign keys, in information_schema: ID, FOR_NAME, REF_NAME and TYPE; its columns stand in
    /// the view of this name with _COLS behind it.
    [[nodiscard]] virtual std::string_view foreign_keys_view() const noexcept = 0;
    /// A foreign key of a table to itself refers to the new name after a rename, whatever characters the names have. On
    /// MySQL 5.6 it does not from a name that is encoded for its file, such as `t~gho` (seen on 5.6.24).
    [[nodiscard]] virtual bool self_references_follow_renames() const noexcept { return true; }
    /// Schemas and tables stand there encoded as for file names (`@0020` for a space): so they do in the older list.
    [[nodiscard]] bool encodes_foreign_key_tables() const noexcept {
        return foreign_keys_view() == "INNODB_SYS_FOREIGN";
    }
    /// From a row of information_schema.COLUMNS: what is generated, invisible, and the default.
    virtual void describe_specials(const named_cells& row, column_description& column) const = 0;
    /// From a row of information_schema.STATISTICS: the optimizer may use the index.
    [[nodiscard]] virtual bool is_visible_index(const named_cells& row) const = 0;

    // --- accounts, sessions, the server itself ---

    /// Tells it from every other server, in one cell.
    [[nodiscard]] virtual std::string_view identity_query() const noexcept { return "SELECT @@GLOBAL.server_uuid"; }
    /// What an account needs to make triggers that act as another account, by its name in GRANT.
    [[nodiscard]] virtual std::string_view definer_privilege() const noexcept = 0;
    /// Global privileges that a migration needs, by the names that SHOW GRANTS has for them.
    [[nodiscard]] virtual std::span<const std::string_view> global_privileges() const noexcept = 0;
    /// Statements that name the sessions with a metadata lock on the table beyond a statement: connection id, account,
    /// current or last statement, age in milliseconds, and 1 where the age is known; oldest first, not the asking
    /// session. Among the rows is one with connection id 0 if the server keeps the list at all. They are tried in order
    /// until one gives that row; none where the server cannot tell.
    [[nodiscard]] virtual std::vector<std::string> lock_holder_queries(const table_name& table) const = 0;
    /// The same columns, and the isolation level, for every session with an open transaction, whatever its tables: who
    /// may be in the way where the server cannot tell who is.
    [[nodiscard]] virtual std::string open_transactions_query() const;
    /// The XA state of a session's open transaction, such as PREPARED; no row where the server does not say. Empty
    /// where it never does: XA RECOVER names prepared transactions, but not whose they are.
    [[nodiscard]] virtual std::string xa_state_query(std::uint64_t connection_id) const;
};

using family_ptr = std::shared_ptr<const server_family>;

/// The oldest versions that are supported.
inline constexpr unsigned oldest_mysql_version = 50605;
inline constexpr unsigned oldest_mariadb_version = 100502;

/// version_number: 50624 for 5.6.24, 101100 for MariaDB 10.11.0; nullptr for a server that is not supported.
[[nodiscard]] family_ptr family_of(bool is_mariadb, unsigned version_number);

/// What a server says it is.
struct server_version {
    std::string text;  ///< as VERSION() says
    bool is_mariadb = false;
    unsigned number = 0;  ///< 90700 for 9.7.0; 0 when the text does not begin with three numbers

    /// comment: @@version_comment.
    [[nodiscard]] static server_version parse(std::string_view text, std::string_view comment);
};

/// Asks the server of this session. "unsupported_server" names the version and what would be right.
[[nodiscard]] outcome<family_ptr> family_of(sql_session& session);
[[nodiscard]] failure refuse_server(const server_version& version);

}  // namespace sluice::migration

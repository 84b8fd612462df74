#pragma once

// What a statement in the binary log may have done to tables of which it need not speak. Under binlog_format = ROW only
// definitions are logged so; rows that a session changed under another format stand there as the statement alone, and
// by a view, a trigger or a stored function they may be any table's. Seen on MySQL 5.6, 9.7 and MariaDB 10.11. Pure;
// from any thread.

#include "protocol/binlog/query_variables.hpp"
#include "protocol/sql/lexer.hpp"
#include "protocol/sql/statement_footprint.hpp"

#include <string_view>
#include <vector>

namespace sluice::migration {

class logged_statement {
public:
    /// The event's bytes must outlive it. of_mariadb: the server that wrote the log.
    logged_statement(const binlog::query_event& event, bool of_mariadb);

    /// What is behind MariaDB's SET STATEMENT … FOR, which is logged with it.
    [[nodiscard]] std::string_view text() const noexcept { return text_; }
    /// As the session read it that ran it.
    [[nodiscard]] const sql::lexer_options& lexer() const noexcept { return lexer_; }
    /// Of all tables that it had to do with, where the server says so.
    [[nodiscard]] const std::optional<std::vector<std::string_view>>& schemas() const noexcept {
        return variables_.schemas;
    }

    /// It changes rows of which no row event tells. in_transaction: between BEGIN and its end, as a client's change of
    /// rows always is; MySQL before 8.0 itself empties a MEMORY table outside of any when it is first used after a
    /// start, without triggers.
    [[nodiscard]] bool changes_rows(bool in_transaction) const;
    /// A definition statement that may empty a table, or put another in its place, without a trace in row events, and
    /// with the same definition afterwards. It is known to name that table, maybe only beside another one.
    [[nodiscard]] bool may_take_rows_away() const;
    /// Foreign keys alone: neither rows nor columns change.
    [[nodiscard]] bool is_about_foreign_keys() const;
    /// It gives the table another definition; names: of its footprint, in the order of the text.
    [[nodiscard]] bool redefines(const sql::table_name& table, const std::vector<sql::table_name>& names,
                                 int lower_case_table_names) const;

private:
    [[nodiscard]] bool makes_table_of_rows() const;

    binlog::query_variables variables_;
    sql::lexer_options lexer_;
    std::string_view text_;
};

}  // namespace sluice::migration

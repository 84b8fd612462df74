#include "migration/checkpoint/checkpoint_table.hpp"

#include "migration/sql/identifier.hpp"
#include "migration/sql/table_statements.hpp"

#include <string>
#include <utility>

namespace sluice::migration {
namespace {

constexpr unsigned unknown_column = 1054;
constexpr unsigned no_such_table = 1146;

}  // namespace

outcome<void> create_checkpoint_table(const statement_runner& run, const table_name& table) {
    SLUICE_TRY_VOID(run(drop_table_statement(table)));
    SLUICE_TRY_VOID(run("CREATE TABLE " + quote_table(table) +
                        " (gh_ost_chk_id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,"
                        " gh_ost_chk_timestamp BIGINT NOT NULL,"
                        " gh_ost_chk_coords MEDIUMTEXT CHARACTER SET ascii NOT NULL,"
                        " gh_ost_chk_iteration BIGINT NOT NULL,"
                        " gh_ost_rows_copied BIGINT NOT NULL,"
                        " gh_ost_dml_applied BIGINT NOT NULL,"
                        " gh_ost_is_cutover TINYINT(1) NOT NULL DEFAULT 0,"
                        " sluice_checkpoint LONGTEXT CHARACTER SET utf8mb4 NOT NULL) ENGINE=InnoDB"));
    return {};
}

outcome<void> write_checkpoint(const statement_runner& run, const table_name& table, const checkpoint& value) {
    const std::string name = quote_table(table);
    // The row before it goes only behind it.
    SLUICE_TRY_VOID(run("INSERT INTO " + name +
                        " (gh_ost_chk_timestamp, gh_ost_chk_coords, gh_ost_chk_iteration, gh_ost_rows_copied,"
                        " gh_ost_dml_applied, gh_ost_is_cutover, sluice_checkpoint) SELECT UNIX_TIMESTAMP(), " +
                        quote_string(value.place) + ", COALESCE(MAX(gh_ost_chk_iteration), 0) + 1, " +
                        std::to_string(value.rows_copied) + ", " + std::to_string(value.deltas_applied) + ", " +
                        (value.swapped ? "1, " : "0, ") + quote_string(to_text(value)) + " FROM " + name));
    SLUICE_TRY(const query_result last, run("SELECT MAX(gh_ost_chk_id) FROM " + name));
    if (last.rows.empty() || last.rows[0].empty() || !last.rows[0][0]) return {};
    SLUICE_TRY_VOID(run("DELETE FROM " + name + " WHERE gh_ost_chk_id < " + *last.rows[0][0]));
    return {};
}

outcome<std::optional<checkpoint>> read_checkpoint(const statement_runner& run, const table_name& table) {
    std::optional<checkpoint> none;
    auto found = run("SELECT sluice_checkpoint FROM " + quote_table(table) + " ORDER BY gh_ost_chk_id DESC LIMIT 1");
    if (!found) {
        const unsigned why = found.error().server_errno;
        if (why == no_such_table || why == unknown_column) return none;
        return std::move(found).error();
    }
    if (found->rows.empty() || found->rows[0].empty() || !found->rows[0][0]) return none;
    return checkpoint_from_text(*found->rows[0][0]);
}

}  // namespace sluice::migration

#include "migration/mysql/session_setup.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace sluice::migration {
namespace {

struct optional_variable {
    std::string_view name;
    std::string_view value;
};

constexpr std::array optional_variables{
    optional_variable{"max_execution_time", "0"},        // MySQL >= 5.7.8; a limit would cut long reads of a chunk
    optional_variable{"max_statement_time", "0"},        // MariaDB
    optional_variable{"explain_format", "TRADITIONAL"},  // MySQL >= 8.0.32: TREE is the default of 9.x
    optional_variable{"information_schema_stats_expiry", "0"},  // MySQL >= 8.0: row estimates of now
    // MySQL >= 8.0.30: a generated invisible primary key must be seen, or the table seems to have none.
    optional_variable{"show_gipk_in_create_table_and_information_schema", "ON"},
    // A batch of thousands of keys must be found along the index whatever it costs to plan: MySQL >= 5.7.12, MariaDB.
    optional_variable{"range_optimizer_max_mem_size", "0"}, optional_variable{"optimizer_max_sel_arg_weight", "0"},
    // MariaDB: a long IN list must not become a temporary table, whose columns may compare in another way.
    optional_variable{"in_predicate_conversion_threshold", "0"},
    optional_variable{"alter_algorithm", "DEFAULT"},      // MariaDB: the ghost is altered, whatever it takes
    optional_variable{"innodb_snapshot_isolation", "0"},  // MariaDB: no error 1020 on locking reads
};

std::string limit(std::chrono::seconds value) {
    return std::to_string(std::max<std::chrono::seconds::rep>(1, value.count()));
}

}  // namespace

std::vector<std::string> session_setup_statements(const mysql_executor_options& options) {
    // What a server's configuration or init_connect may have changed, and what would change the meaning of the engine's
    // statements, is said outright: completion_type (a COMMIT that hangs up), sql_safe_updates, select limits.
    return {
        "SET NAMES utf8mb4",
        "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE",
        "SET SESSION autocommit = 1, time_zone = '+00:00', "
        "sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION', "
        "completion_type = 0, sql_safe_updates = 0, sql_big_selects = 1, sql_select_limit = 18446744073709551615, "
        "sql_auto_is_null = 0, sql_quote_show_create = 1, foreign_key_checks = 1, unique_checks = 1, "
        "lock_wait_timeout = " +
            limit(options.lock_wait_limit) + ", innodb_lock_wait_timeout = " + limit(options.row_lock_wait_limit) +
            ", wait_timeout = 28800, net_read_timeout = 600, net_write_timeout = 600",
    };
}

std::string optional_variables_query() {
    std::string sql = "SHOW SESSION VARIABLES WHERE Variable_name IN (";
    std::string_view separator;
    for (const auto& variable : optional_variables) {
        sql.append(separator).append("'").append(variable.name).append("'");
        separator = ", ";
    }
    return sql + ")";
}

std::string optional_setup_statement(const query_result& variables) {
    std::string sql;
    for (const auto& variable : optional_variables) {
        const bool is_there = std::ranges::any_of(variables.rows, [&](const std::vector<cell>& row) {
            return !row.empty() && row.front() && *row.front() == variable.name;
        });
        if (!is_there) continue;
        sql.append(sql.empty() ? "SET SESSION " : ", ").append(variable.name).append(" = ").append(variable.value);
    }
    return sql;
}

}  // namespace sluice::migration

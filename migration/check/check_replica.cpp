#include "migration/check/check_replica.hpp"

#include "migration/check/preconditions.hpp"
#include "migration/check/server_variables.hpp"
#include "migration/sql/artefact_names.hpp"
#include "migration/sql/identifier.hpp"
#include "protocol/sql/alter_statement.hpp"

#include <algorithm>
#include <initializer_list>
#include <string_view>
#include <utility>

namespace sluice::migration {
namespace {

/// Of the first of these names that the server has: MySQL 8.0.26 renamed them.
std::string value_of_either(const server_variables& variables, std::initializer_list<std::string_view> names) {
    for (const auto name : names) {
        if (auto value = value_of(variables, name); !value.empty()) return value;
    }
    return {};
}

bool says_off(const std::string& value) {
    return value.empty() || value == "0" || sql::equal_ignoring_case(value, "OFF");
}

// Order is what makes a marker, or a position, tell of everything before it.
outcome<void> check_order(const server_variables& variables) {
    if (const auto threads = value_of(variables, "slave_parallel_threads"); !says_off(threads)) {
        return refuse("replica_order", "it applies by several threads (slave_parallel_threads = " + threads +
                                           "), which may commit in another order than the master; set it to 0");
    }
    const auto workers = value_of_either(variables, {"replica_parallel_workers", "slave_parallel_workers"});
    if (says_off(workers) || workers == "1") return {};
    const auto in_order = value_of_either(variables, {"replica_preserve_commit_order", "slave_preserve_commit_order"});
    if (!says_off(in_order)) return {};
    return refuse("replica_order", "it applies by " + workers +
                                       " workers that may commit in another order than the master; switch "
                                       "replica_preserve_commit_order on, or set replica_parallel_workers to 1");
}

outcome<void> check_skips(const server_variables& variables) {
    const auto mode = value_of_either(variables, {"replica_exec_mode", "slave_exec_mode"});
    if (sql::equal_ignoring_case(mode, "IDEMPOTENT")) {
        return refuse("replica_skips",
                      "it passes over changes of rows that it has not (replica_exec_mode = "
                      "IDEMPOTENT), and does not log them; set it to STRICT");
    }
    const auto errors = value_of_either(variables, {"replica_skip_errors", "slave_skip_errors"});
    if (!says_off(errors)) {
        return refuse("replica_skips", "it passes over changes that fail (replica_skip_errors = " + errors +
                                           "), and does not log them; start it without");
    }
    const auto marked = value_of(variables, "replicate_events_marked_for_skip");
    if (!marked.empty() && !sql::equal_ignoring_case(marked, "REPLICATE")) {
        return refuse("replica_skips",
                      "it passes over events that are marked for it "
                      "(replicate_events_marked_for_skip = " +
                          marked + "); set it to REPLICATE");
    }
    return {};
}

outcome<void> check_channels(const std::vector<replica_status>& channels, const migration_spec& spec) {
    if (channels.empty()) return refuse("not_a_replica", "it is no replica");
    const table_name& table = spec.table;
    const artefact_names names = artefact_names_of(table.table, spec.options.tables_named_after);
    for (const replica_status& each : channels) {
        const auto filter = filter_against(each, table.schema, {table.table, names.ghost, names.changelog});
        if (!filter) continue;
        return refuse("replica_filtered", "a filter of its replication keeps changes of " + quote_table(table) +
                                              " or of the migration's own tables away from it: " + *filter);
    }
    return {};
}

outcome<server_variables> read_settings(sql_session& replica) {
    return read_global_variables(
        replica,
        {"log_bin", "log_replica_updates", "log_slave_updates", "slave_parallel_threads", "replica_parallel_workers",
         "slave_parallel_workers", "replica_preserve_commit_order", "slave_preserve_commit_order", "replica_exec_mode",
         "slave_exec_mode", "replica_skip_errors", "slave_skip_errors", "replicate_events_marked_for_skip"});
}

outcome<void> check_logged(const server_variables& variables) {
    if (!is_on(variables, "log_bin")) return refuse("binlog_off", "it writes no binary log");
    if (says_off(value_of_either(variables, {"log_replica_updates", "log_slave_updates"}))) {
        return refuse("replica_log", "it does not write into its binary log what it replicates (log_replica_updates)");
    }
    return {};
}

outcome<void> check_settings(sql_session& replica) {
    SLUICE_TRY(const auto variables, read_settings(replica));
    SLUICE_TRY_VOID(check_logged(variables));
    SLUICE_TRY_VOID(check_order(variables));
    return check_skips(variables);
}

}  // namespace

outcome<void> check_passes_on(sql_session& replica, const migration_spec& spec) {
    SLUICE_TRY(const auto channels, read_replica_status(replica));
    SLUICE_TRY_VOID(check_channels(channels, spec));
    return check_settings(replica);
}

outcome<void> check_logs_replicated(sql_session& replica) {
    SLUICE_TRY(const auto variables, read_settings(replica));
    return check_logged(variables);
}

outcome<server_facts> check_log_server(sql_session& replica, const migration_spec& spec, const server_facts& master) {
    SLUICE_TRY(const server_facts facts, check_server(replica));
    SLUICE_TRY(const auto channels, read_replica_status(replica));
    SLUICE_TRY_VOID(check_channels(channels, spec));
    SLUICE_TRY_VOID(check_settings(replica));
    const sql::alter_statement no_matter;
    SLUICE_TRY_VOID(check_binlog({replica, spec, no_matter, facts}));
    const bool needs_gtids = master.family->confirms_by_gtid(master.gtid_mode_on);
    if (needs_gtids && !facts.family->confirms_by_gtid(facts.gtid_mode_on)) {
        return refuse("gtid_mode", "the replica has gtid_mode = OFF and its master ON; both must be the same");
    }
    for (const replica_status& each : channels) {
        if (each.runs()) continue;
        return refuse("replication_broken", "its replication does not run (receiver: " + each.receiver + ", applier: " +
                                                each.applier + ")" + (each.error.empty() ? "" : ": " + each.error));
    }
    return facts;
}

}  // namespace sluice::migration

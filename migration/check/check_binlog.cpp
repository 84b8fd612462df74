#include "migration/check/named_cells.hpp"
#include "migration/check/preconditions.hpp"
#include "migration/check/replica_status.hpp"
#include "migration/check/server_variables.hpp"
#include "migration/sql/identifier.hpp"
#include "protocol/sql/lexer.hpp"

namespace sluice::migration {
namespace {

/// Whether a comma-separated list of schemas, as SHOW BINARY LOG STATUS has it, names this one.
bool names_schema(std::string_view list, std::string_view schema, int lower_case_table_names) {
    while (!list.empty()) {
        const auto comma = list.find(',');
        const auto entry = list.substr(0, comma);
        if (entry == schema || (lower_case_table_names != 0 && sql::equal_ignoring_case(entry, schema))) return true;
        if (comma == std::string_view::npos) break;
        list.remove_prefix(comma + 1);
    }
    return false;
}

failure refuse_filter(const std::string& schema, const std::string& filter, const std::string& list) {
    return refuse("binlog_filtered", "changes in schema " + quote_identifier(schema) +
                                         " are not written to the binary log (" + filter + " = " + list +
                                         "), so they could not be followed");
}

outcome<void> check_filters(const check_subject& subject) {
    SLUICE_TRY(const auto status, subject.session.run(subject.facts.family->binlog_status_statement()));
    if (status.rows.empty()) return refuse("binlog_off", "the server has no binary log");
    const named_cells row(status, 0);
    const auto& schema = subject.spec.table.schema;
    const auto only = row.text("Binlog_Do_DB");
    const auto without = row.text("Binlog_Ignore_DB");
    if (!only.empty() && !names_schema(only, schema, subject.facts.lower_case_table_names)) {
        return refuse_filter(schema, "binlog_do_db", only);
    }
    if (names_schema(without, schema, subject.facts.lower_case_table_names)) {
        return refuse_filter(schema, "binlog_ignore_db", without);
    }
    return {};
}

/// A server that replicates from another one must log that too, or such changes of the table could not be followed.
outcome<void> check_replicated(const check_subject& subject, const server_variables& variables) {
    constexpr unsigned access_denied = 1227;
    const bool unlogged = [&variables] {
        for (const auto name : {"log_replica_updates", "log_slave_updates"}) {
            if (is_on(variables, name)) return false;
        }
        return !value_of(variables, "log_slave_updates").empty() || !value_of(variables, "log_replica_updates").empty();
    }();
    if (!unlogged) return {};
    auto channels = read_replica_status(subject.session);
    std::string source = "another server";
    if (channels) {
        if (channels->empty()) return {};
        source = channels->front().source_host;
    } else if (channels.error().server_errno == access_denied) {
        // MariaDB wants REPLICA MONITOR for that, but shows the threads of a replication that runs.
        SLUICE_TRY(const auto threads, subject.session.run("SELECT 1 FROM information_schema.PROCESSLIST WHERE COMMAND "
                                                           "IN ('Slave_SQL', 'Slave_IO') LIMIT 1"));
        if (threads.rows.empty()) return {};
    } else {
        return std::move(channels).error();
    }
    return refuse("replicated_unlogged", "the server replicates from " + source +
                                             " and does not write that into its binary log (log_replica_updates = "
                                             "OFF), so such changes could not be followed; start it with "
                                             "--log-replica-updates");
}

}  // namespace

outcome<void> check_binlog(const check_subject& subject) {
    SLUICE_TRY(const auto variables,
               read_global_variables(subject.session,
                                     {"log_bin", "binlog_format", "log_replica_updates", "log_slave_updates"}));
    if (!is_on(variables, "log_bin")) {
        return refuse("binlog_off", "the server writes no binary log (log_bin = OFF); start it with --log-bin");
    }
    // Any row image will do (FULL, MINIMAL, NOBLOB), and so will partial JSON updates: only keys are read from the
    // events.
    const auto format = value_of(variables, "binlog_format");
    // Of a replica's log, rows are asked of the replica: what a master logs as MIXED has the same effect on both.
    const bool as_statements = subject.role.log_is_read_at_replica && sql::equal_ignoring_case(format, "MIXED");
    if (!format.empty() && !as_statements && !sql::equal_ignoring_case(format, "ROW")) {
        if (subject.role.log_is_read_at_replica) {
            return refuse("binlog_format",
                          "the master's binlog_format is " + format +
                              ", so that a statement may do something else on the replica whose log is "
                              "read; run SET GLOBAL binlog_format = MIXED there, or ROW, and let the "
                              "applications reconnect");
        }
        return refuse("binlog_format", "the server's binlog_format is " + format +
                                           "; run SET GLOBAL binlog_format = ROW and let the applications reconnect");
    }
    SLUICE_TRY_VOID(check_replicated(subject, variables));
    return check_filters(subject);
}

}  // namespace sluice::migration

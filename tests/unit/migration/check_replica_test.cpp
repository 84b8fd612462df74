// What is asked of a replica whose log is read, against scripted answers.

#include "tests/support/catch.hpp"

#include "migration/check/check_replica.hpp"
#include "migration/check/preconditions.hpp"
#include "tests/unit/migration/check_scripted_session.hpp"

#include <map>

using namespace sluice::migration;
using Catch::Matchers::Contains;
using sluice::test::scripted_session;

namespace {

const std::vector<std::string> variable_columns{"Variable_name", "Value"};

migration_spec spec_of_t() {
    migration_spec spec;
    spec.table = {"shop", "t"};
    return spec;
}

/// A replica in good order, but for what `changed` says of its variables.
outcome<void> passes_with(std::map<std::string, std::string> changed) {
    std::map<std::string, std::string> variables{{"log_bin", "ON"}, {"log_slave_updates", "ON"}};
    for (auto& [name, value] : changed) variables[name] = value;
    scripted_session session;
    session.fail_when("SHOW ALL SLAVES STATUS", 1064, "server_error");
    session.fail_when("SHOW REPLICA STATUS", 1064, "server_error");
    session.when("SHOW SLAVE STATUS", {"Master_Host", "Slave_IO_Running", "Slave_SQL_Running"}, {{"up", "Yes", "Yes"}});
    std::vector<std::vector<cell>> rows;
    for (const auto& [name, value] : variables) rows.push_back({name, value});
    session.when("SHOW GLOBAL VARIABLES", variable_columns, rows);
    return check_passes_on(session, spec_of_t());
}

std::string code_of(const outcome<void>& answer) { return answer.has_error() ? answer.error().code : std::string(); }

}  // namespace

TEST_CASE("the status of a replica is read by old and by new names") {
    scripted_session session;
    session.fail_when("SHOW ALL SLAVES STATUS", 1064, "server_error");
    session.when("SHOW REPLICA STATUS",
                 {"Source_Host", "Source_Port", "Replica_IO_Running", "Replica_SQL_Running", "Last_IO_Error",
                  "Last_SQL_Error", "SQL_Delay", "Seconds_Behind_Source", "Channel_Name"},
                 {{"", "3306", "No", "No", "", "", "0", std::nullopt, ""},
                  {"up", "3307", "Yes", "No", "", "Duplicate entry", "60", std::nullopt, "c"}});
    const auto channels = read_replica_status(session);
    REQUIRE(channels.has_value());
    REQUIRE(channels->size() == 1);  // one that was told to forget its source has a row without one
    const replica_status& one = channels->front();
    CHECK(one.channel == "c");
    CHECK(one.source_host == "up");
    CHECK(one.source_port == 3307);
    CHECK_FALSE(one.runs());
    CHECK(one.error == "Duplicate entry");
    CHECK(one.delay == std::chrono::seconds(60));
    CHECK_FALSE(one.behind.has_value());

    scripted_session denied;
    denied.fail_when("SHOW ALL SLAVES STATUS", 1227, "access_denied");
    CHECK(read_replica_status(denied).error().server_errno == 1227);
}

TEST_CASE("a filter counts where it keeps the table or the migration's own away") {
    const std::vector<std::string> tables{"t", "_t_gho", "_t_ghc"};
    const auto with = [&](auto member, const char* value) {
        replica_status channel;
        channel.*member = value;
        return filter_against(channel, "shop", tables).value_or("");
    };
    using status = replica_status;
    CHECK(with(&status::do_schemas, "shop") == "");
    CHECK(with(&status::do_schemas, "other,shop") == "");
    CHECK(with(&status::do_schemas, "other") == "replicate_do_db = other");
    CHECK(with(&status::do_schemas, "Shop") == "replicate_do_db = Shop");
    CHECK(with(&status::ignored_schemas, "other") == "");
    CHECK(with(&status::ignored_schemas, "other,SHOP") == "replicate_ignore_db = other,SHOP");
    CHECK(with(&status::do_tables, "shop.t,shop._t_gho,shop._t_ghc") == "");
    CHECK(with(&status::do_tables, "shop.t,shop._t_gho") == "replicate_do_table = shop.t,shop._t_gho");
    CHECK(with(&status::ignored_tables, "shop.u") == "");
    CHECK(with(&status::ignored_tables, "shop._t_ghc") == "replicate_ignore_table = shop._t_ghc");
    CHECK(with(&status::wild_do_tables, "shop.%") == "");
    CHECK(with(&status::wild_do_tables, "s_op.%t%") == "");
    CHECK(with(&status::wild_do_tables, "shop.t%") == "replicate_wild_do_table = shop.t%");
    CHECK(with(&status::wild_ignored_tables, "shop.\\_u%") == "");
    CHECK(with(&status::wild_ignored_tables, "SHOP.%\\_ghc") == "replicate_wild_ignore_table = SHOP.%\\_ghc");
    CHECK(with(&status::wild_ignored_tables, "shop._") == "replicate_wild_ignore_table = shop._");
    CHECK(with(&status::rewritten_schemas, "(other,shop)") == "replicate_rewrite_db = (other,shop)");
    CHECK(with(&status::rewritten_schemas, "(other,stock)") == "");
    CHECK(with(&status::domains, "3") == "GTID domains: 3");
    // A table that is named lets pass what a pattern would keep away.
    replica_status both;
    both.do_tables = "shop.t,shop._t_gho,shop._t_ghc";
    both.wild_ignored_tables = "shop.%";
    CHECK_FALSE(filter_against(both, "shop", tables).has_value());
}

TEST_CASE("a replica must log what it gets, all of it and in order") {
    CHECK(passes_with({}).has_value());
    CHECK(code_of(passes_with({{"log_bin", "OFF"}})) == "binlog_off");
    CHECK(code_of(passes_with({{"log_slave_updates", "OFF"}})) == "replica_log");
    CHECK(code_of(passes_with({{"slave_parallel_threads", "4"}})) == "replica_order");
    CHECK(code_of(passes_with({{"slave_parallel_workers", "2"}})) == "replica_order");
    CHECK(passes_with({{"slave_parallel_workers", "1"}}).has_value());
    CHECK(passes_with({{"replica_parallel_workers", "4"}, {"replica_preserve_commit_order", "ON"}}).has_value());
    CHECK(code_of(passes_with({{"replica_parallel_workers", "4"}, {"replica_preserve_commit_order", "OFF"}})) ==
          "replica_order");
    CHECK(code_of(passes_with({{"slave_exec_mode", "IDEMPOTENT"}})) == "replica_skips");
    CHECK(code_of(passes_with({{"replica_skip_errors", "1032"}})) == "replica_skips");
    CHECK(code_of(passes_with({{"replicate_events_marked_for_skip", "FILTER_ON_MASTER"}})) == "replica_skips");
    CHECK(passes_with({{"replicate_events_marked_for_skip", "REPLICATE"}}).has_value());

    scripted_session alone;
    alone.fail_when("SHOW ALL SLAVES STATUS", 1064, "server_error");
    alone.when("SHOW REPLICA STATUS", {"Source_Host"}, {});
    CHECK(code_of(check_passes_on(alone, spec_of_t())) == "not_a_replica");
}

TEST_CASE("a server that replicates and does not log that cannot be followed") {
    const auto checked = [](const char* logs, std::vector<std::vector<cell>> sources, checked_role role = {},
                            const char* format = "ROW") {
        scripted_session session;
        session.when("SHOW GLOBAL VARIABLES", variable_columns,
                     {{"log_bin", "ON"}, {"binlog_format", format}, {"log_slave_updates", logs}});
        session.when("SHOW ALL SLAVES STATUS", {"Master_Host"}, std::move(sources));
        session.when("SHOW MASTER STATUS", {"File", "Position", "Binlog_Do_DB", "Binlog_Ignore_DB"},
                     {{"binlog.000001", "4", "", ""}});
        const migration_spec spec = spec_of_t();
        const sluice::sql::alter_statement alter;
        server_facts facts;
        facts.family = family_of(true, 101100);
        return code_of(check_binlog({session, spec, alter, facts, role}));
    };
    CHECK(checked("OFF", {}) == "");
    CHECK(checked("OFF", {{"up"}}) == "replicated_unlogged");
    CHECK(checked("ON", {{"up"}}) == "");
    // Where a replica's log is read, that of the master need not have rows throughout; what is missing in the one is
    // missing in the other.
    const checked_role elsewhere{.is_replica = false, .log_is_read_at_replica = true};
    CHECK(checked("OFF", {{"up"}}, elsewhere) == "replicated_unlogged");
    CHECK(checked("OFF", {}, elsewhere, "MIXED") == "");
    CHECK(checked("OFF", {}, elsewhere, "STATEMENT") == "binlog_format");
    CHECK(checked("OFF", {}, {}, "MIXED") == "binlog_format");
}

// `sluice gh-ost` connected to a replica that logs rows, of a master that does not.

#include "tests/integration/process_ghost_replica_scene.hpp"

#include <algorithm>

namespace {

using namespace sluice::test;
using namespace sluice::test::ghost;

const replicated_kind by_gtid{server_kind::mysql_9_7, true, "9.7"};
const replicated_kind of_5_6{server_kind::mysql_5_6, false, "5.6"};
const replicated_kind of_mariadb{server_kind::mariadb_10_11, true, "MariaDB"};

void set_format(sql_connection& on, const std::string& format) {
    on.exec("SET GLOBAL binlog_format = '" + format + "'");
    on.exec("SET SESSION binlog_format = '" + format + "'");
}

/// A replica's applier takes a new format when it is started.
void restart_replica_with(replicated_scene& s, const std::string& format) {
    s.on_replica.exec(has_new_words(s.what) ? "STOP REPLICA" : "STOP SLAVE");
    set_format(s.on_replica, format);
    start_replica(s.what, s.on_replica);
    s.catch_up();
}

/// Changes of test.t that stand in the newest file of the log as the text that a client sent.
std::ptrdiff_t logged_as_statements(const replicated_kind& what, sql_connection& on) {
    const rows status = on.query(has_new_words(what) ? "SHOW BINARY LOG STATUS" : "SHOW MASTER STATUS");
    const rows events = on.query("SHOW BINLOG EVENTS IN '" + status.at(0).at(0).value() + "'");
    return std::count_if(events.begin(), events.end(), [](const auto& event) {
        const std::string text = event.at(5).value_or("");
        return event.at(2) == "Query" && holds(text, "`test`.`t`") &&
               (holds(text, "UPDATE") || holds(text, "INSERT") || holds(text, "REPLACE") || holds(text, "DELETE"));
    });
}

}  // namespace

TEST_CASE("a master that logs as MIXED is altered by the log of a replica that logs rows", "[process][ghost][modes]") {
    const replicated_kind kind = GENERATE(by_gtid, of_5_6, of_mariadb);
    CAPTURE(kind.words);
    replicated_scene s(kind, 2'000);
    set_format(s.on_master, "MIXED");
    const std::string flag = s.folder.file("postpone");
    mirrored_writes writes(s.master, mirrored(), 1, 17, easy_pace);
    sluice_process process(
        s.words(s.replica, {"--postpone-cut-over-flag-file=" + flag, "--chunk-size=200", "--max-lag-millis=20000"}));
    wait_for_answer(s.folder.file("sock"), "sup", "State: postponing cut-over");
    let_write(writes);
    std::filesystem::remove(flag);
    const auto end = process.wait();
    INFO(end.out << end.err);
    REQUIRE(end.exit_code == 0);
    writes.stop();
    CHECK(logged_as_statements(kind, s.on_master) > 20);
    CHECK(s.has_column(s.on_master, "t") == "1");
    CHECK(s.sum(s.on_master, "t") == s.sum(s.on_master, "m"));
    s.catch_up();
    CHECK(logged_as_statements(kind, s.on_replica) == 0);
    CHECK(s.sum(s.on_replica, "t") == s.sum(s.on_master, "m"));
}

TEST_CASE("formats by which a change could be missed are refused", "[process][ghost][modes]") {
    replicated_scene s(of_5_6, 10);
    const auto refusal = [&](const mysql_server& host, const std::vector<std::string>& more) {
        const auto end = run_sluice(s.words(host, more));
        CHECK(end.exit_code == 1);
        CHECK(holds(end.err, "You must be using ROW binlog format"));
        return end.err;
    };
    set_format(s.on_master, "STATEMENT");
    CHECK(holds(refusal(s.replica, {}), "the master's binlog_format is STATEMENT"));
    set_format(s.on_master, "MIXED");
    CHECK(holds(refusal(s.master, {"--allow-on-master"}), "the server's binlog_format is MIXED"));
    restart_replica_with(s, "MIXED");
    const std::string at_replica = refusal(s.replica, {});
    CHECK(holds(at_replica, "the replica whose binary log is to be read"));
    CHECK(holds(at_replica, "binlog_format is MIXED"));
    CHECK(holds(refusal(s.replica, {"--migrate-on-replica"}), "the server's binlog_format is MIXED"));
    CHECK(exists(s.on_master, "test", "\\_t\\_%") == "0");
    CHECK(exists(s.on_replica, "test", "\\_t\\_%") == "0");
}

TEST_CASE("a replica whose applier still logs statements ends the run", "[process][ghost][modes]") {
    const replicated_kind kind = GENERATE(of_5_6, of_mariadb);
    CAPTURE(kind.words);
    replicated_scene s(kind, 100);
    restart_replica_with(s, "MIXED");
    // Of the replica's sessions this one counts, and of its applier not before it is started again.
    set_format(s.on_replica, "ROW");
    const std::string flag = s.folder.file("postpone");
    sluice_process process(s.words(s.replica, {"--postpone-cut-over-flag-file=" + flag, "--max-lag-millis=20000"}));
    wait_for_answer(s.folder.file("sock"), "sup", "State: postponing cut-over");
    // The log still looks as it should: what the master logs as rows, the replica does.
    set_format(s.on_master, "MIXED");
    s.on_master.exec("CREATE VIEW seen AS SELECT * FROM t");
    s.on_master.exec("UPDATE seen SET payload = 'unseen' WHERE id = 2");
    const auto end = process.wait();
    INFO(end.out << end.err);
    CHECK(end.exit_code == 1);
    CHECK(holds(end.err, "a change that may be of `test`.`t` was logged as a statement, not as rows"));
    CHECK(holds(end.err, "UPDATE seen SET payload"));
    CHECK(s.has_column(s.on_master, "t") == "0");
    CHECK(exists(s.on_master, "test", "\\_t\\_%") == "0");
    // As the message says.
    restart_replica_with(s, "ROW");
    const auto again = run_sluice(s.words(s.replica, {"--max-lag-millis=20000"}));
    INFO(again.out << again.err);
    CHECK(again.exit_code == 0);
    CHECK(s.on_master.scalar("SELECT payload FROM t WHERE id = 2") == "unseen");
}

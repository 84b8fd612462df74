// `sluice gh-ost` connected to a replica: the master is altered by what the replica's binary log says.

#include "tests/integration/process_ghost_replica_scene.hpp"

#include <chrono>
#include <thread>
#include <utility>

namespace {

using namespace sluice::test;
using namespace sluice::test::ghost;

const replicated_kind by_gtid{server_kind::mysql_9_7, true, "9.7 by GTID"};

}  // namespace

TEST_CASE("the master is altered by the replica's log, under writes", "[process][ghost][modes]") {
    const replicated_kind kind = any_kind();
    CAPTURE(kind.words);
    replicated_scene s(kind);
    const std::string flag = s.folder.file("postpone");
    mirrored_writes writes(s.master, mirrored(), has_new_words(kind) ? 2 : 1, 7, easy_pace);
    sluice_process process(
        s.words(s.replica, {"--postpone-cut-over-flag-file=" + flag, "--chunk-size=200", "--max-lag-millis=20000"}));
    const std::string socket = s.folder.file("sock");
    wait_for_answer(socket, "sup", "State: postponing cut-over");
    // The master's log has one reader, its replica; the replica's has one, the run.
    CHECK(s.readers(s.on_master) == "1");
    CHECK(s.readers(s.on_replica) == "1");
    CHECK(holds(tell(socket, "applier"), std::to_string(s.master.port())));
    CHECK(holds(tell(socket, "inspector"), std::to_string(s.replica.port())));
    let_write(writes);
    std::filesystem::remove(flag);
    const auto end = process.wait();
    INFO(end.out << end.err);
    REQUIRE(end.exit_code == 0);
    writes.stop();
    CHECK(s.has_column(s.on_master, "t") == "1");
    CHECK(s.sum(s.on_master, "t") == s.sum(s.on_master, "m"));
    CHECK(s.on_master.scalar("SELECT COUNT(*) FROM t WHERE c <> 5") == "0");
    s.catch_up();
    CHECK(s.has_column(s.on_replica, "t") == "1");
    CHECK(s.sum(s.on_replica, "t") == s.sum(s.on_master, "t"));
    CHECK(exists(s.on_master, "test", "\\_t\\_gh_") == "0");
}

TEST_CASE("a replica that stands still holds the cut-over up, and no change is missed", "[process][ghost][modes]") {
    const replicated_kind kind = GENERATE(replicated_kind{server_kind::mysql_9_7, true, "9.7 by GTID"},
                                          replicated_kind{server_kind::mysql_9_7, false, "9.7 by marker"});
    CAPTURE(kind.words);
    replicated_scene s(kind, 1'000);
    const std::string flag = s.folder.file("postpone");
    // No lag throttles: the stream alone keeps the tables where they are.
    sluice_process process(s.words(
        s.replica, {"--postpone-cut-over-flag-file=" + flag, "--max-lag-millis=3600000", "--default-retries=1000"}));
    const std::string socket = s.folder.file("sock");
    wait_for_answer(socket, "sup", "State: postponing cut-over");
    s.on_replica.exec("STOP REPLICA SQL_THREAD");
    s.on_master.exec("UPDATE t SET payload = 'late', amount = amount + 1 WHERE id < 100");
    s.on_master.exec("UPDATE m SET payload = 'late', amount = amount + 1 WHERE id < 100");
    std::filesystem::remove(flag);
    const std::string message = process.wait_for_message("which is behind its master");
    CHECK(holds(message, "its replication does not run (receiver: Yes, applier: No)"));
    CHECK(s.has_column(s.on_master, "t") == "0");
    s.on_replica.exec("START REPLICA");
    const auto end = process.wait();
    INFO(end.out << end.err);
    REQUIRE(end.exit_code == 0);
    CHECK(s.has_column(s.on_master, "t") == "1");
    CHECK(s.on_master.scalar("SELECT COUNT(*) FROM t WHERE payload = 'late'") == "50");
    CHECK(s.sum(s.on_master, "t") == s.sum(s.on_master, "m"));
}

TEST_CASE("what was committed before the lock is waited for, wherever the replica's log stands",
          "[process][ghost][modes]") {
    const replicated_kind kind = GENERATE(replicated_kind{server_kind::mysql_9_7, true, "9.7 by GTID"},
                                          replicated_kind{server_kind::mysql_9_7, false, "9.7 by marker"});
    CAPTURE(kind.words);
    replicated_scene s(kind, 1'000);
    // By file and offset the replica is far ahead of its master.
    for (int i = 0; i < 5; ++i) s.on_replica.exec("FLUSH BINARY LOGS");
    const std::string flag = s.folder.file("postpone");
    sluice_process process(s.words(s.replica, {"--postpone-cut-over-flag-file=" + flag, "--max-lag-millis=3600000",
                                               "--cut-over-lock-timeout-seconds=10"}));
    wait_for_answer(s.folder.file("sock"), "sup", "State: postponing cut-over");
    const std::string waiting =
        "SELECT COUNT(*) FROM performance_schema.processlist WHERE INFO LIKE 'LOCK TABLES %' AND STATE LIKE 'Waiting "
        "for %'";
    // Transactions that have stood for a second are waited for before anything is locked: there is always one that has
    // not, until the lock waits for it.
    sql_connection first = connect(s.master, "test");
    sql_connection second = connect(s.master, "test");
    sql_connection* client = &first;
    std::string row = "2";
    const auto change = [&] {
        client->exec("START TRANSACTION");
        for (const char* table : {"t", "m"}) {
            client->exec(std::string("UPDATE ") + table + " SET payload = 'last' WHERE id = " + row);
        }
    };
    change();
    std::filesystem::remove(flag);
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    for (auto old = std::chrono::steady_clock::now() + std::chrono::milliseconds(1'500);
         s.on_master.scalar(waiting) != "1"; std::this_thread::sleep_for(std::chrono::milliseconds(20))) {
        const auto now = std::chrono::steady_clock::now();
        REQUIRE(now < limit);
        if (now < old) continue;
        old = now + std::chrono::milliseconds(1'500);
        sql_connection* const former = std::exchange(client, client == &first ? &second : &first);
        row = row == "2" ? "4" : "2";
        change();
        former->exec("ROLLBACK");
    }
    s.on_replica.exec("STOP REPLICA SQL_THREAD");
    client->exec("COMMIT");
    wait_for_value(s.on_master, waiting, "0");
    // What comes next is the wait for the stream: the run lives on, and its tables stay where they are.
    for (int beat = 0; beat < 5; ++beat) {
        const std::string last = s.on_master.scalar("SELECT value FROM _t_ghc WHERE hint = 'heartbeat'");
        wait_for_value(s.on_master, "SELECT value > '" + last + "' FROM _t_ghc WHERE hint = 'heartbeat'");
    }
    CHECK(s.has_column(s.on_master, "t") == "0");
    s.on_replica.exec("START REPLICA");
    const auto end = process.wait();
    INFO(end.out << end.err);
    REQUIRE(end.exit_code == 0);
    CHECK(s.on_master.scalar("SELECT payload FROM t WHERE id = " + row) == "last");
    CHECK(s.sum(s.on_master, "t") == s.sum(s.on_master, "m"));
}

TEST_CASE("a replica that does not hand on every change is refused", "[process][ghost][modes]") {
    replicated_scene s(by_gtid, 10);
    const auto refusal = [&] {
        auto words = s.words(s.replica, {});
        const auto end = run_sluice(words);
        CHECK(end.exit_code == 1);
        return end.err;
    };
    const auto start = [&] {
        s.on_replica.exec("START REPLICA");
        wait_until_replicating(s.on_replica);
    };
    const std::string name = "127.0.0.1:" + std::to_string(s.replica.port());
    s.on_replica.exec("STOP REPLICA");
    CHECK(holds(refusal(), "Replication on " + name +
                               " is broken: Slave_IO_Running: No, Slave_SQL_Running: No. Please make sure replication "
                               "runs before using gh-ost"));
    s.on_replica.exec("SET GLOBAL replica_preserve_commit_order = OFF");
    start();
    CHECK(holds(refusal(), name + ": it applies by 4 workers that may commit in another order than the master"));
    s.on_replica.exec("STOP REPLICA");
    s.on_replica.exec("SET GLOBAL replica_preserve_commit_order = ON");
    s.on_replica.exec("SET GLOBAL replica_exec_mode = IDEMPOTENT");
    start();
    CHECK(holds(refusal(), "replica_exec_mode = IDEMPOTENT"));
    s.on_replica.exec("STOP REPLICA");
    s.on_replica.exec("SET GLOBAL replica_exec_mode = STRICT");
    s.on_replica.exec("CHANGE REPLICATION FILTER REPLICATE_WILD_IGNORE_TABLE = ('te%.t')");
    start();
    CHECK(holds(refusal(), "replicate_wild_ignore_table = te%.t"));
    s.on_replica.exec("STOP REPLICA");
    s.on_replica.exec("CHANGE REPLICATION FILTER REPLICATE_WILD_IGNORE_TABLE = ('other.%')");
    s.on_replica.exec("CHANGE REPLICATION SOURCE TO SOURCE_DELAY = 30");
    start();
    CHECK(holds(refusal(), name + " keeps a delay of 30 s, above --max-lag-millis"));
    s.on_replica.exec("STOP REPLICA");
    s.on_replica.exec("CHANGE REPLICATION SOURCE TO SOURCE_DELAY = 0");
    s.replica.restart({"--log-replica-updates=OFF"});
    sql_connection anew = connect(s.replica, "test");
    anew.exec("START REPLICA");
    CHECK(holds(refusal(), name + " must have log_slave_updates enabled for executing migration"));
    CHECK(exists(s.on_master, "test", "\\_t\\_%") == "0");
}

TEST_CASE("a change that was made on the replica itself ends the run", "[process][ghost][modes]") {
    replicated_scene s(by_gtid, 100);
    // Of its own transactions from before, the master never hears, and nobody waits for them.
    s.on_replica.exec("CREATE TABLE own (a INT PRIMARY KEY)");
    const std::string flag = s.folder.file("postpone");
    sluice_process process(s.words(s.replica, {"--postpone-cut-over-flag-file=" + flag}));
    wait_for_answer(s.folder.file("sock"), "sup", "State: postponing cut-over");
    s.on_replica.exec("INSERT INTO own VALUES (1)");
    s.on_replica.exec("UPDATE t SET payload = 'mine' WHERE id = 2");
    const auto end = process.wait();
    INFO(end.out << end.err);
    CHECK(end.exit_code == 1);
    CHECK(holds(end.err, "has changed `test`.`t` on the replica itself"));
    CHECK(s.has_column(s.on_master, "t") == "0");
}

TEST_CASE("--assume-master-host with an account of its own", "[process][ghost][modes]") {
    replicated_scene s(by_gtid, 500);
    s.on_master.exec("CREATE USER boss@'%' IDENTIFIED BY 'B-secret'");
    s.on_master.exec("GRANT ALL ON *.* TO boss@'%'");
    s.catch_up();
    // What is written to on the master is written by that account alone.
    s.on_master.exec("SET sql_log_bin = 0");
    s.on_master.exec("REVOKE INSERT, CREATE, ALTER, DROP ON *.* FROM ghoster@'%'");
    const std::string host = "--assume-master-host=127.0.0.1:" + std::to_string(s.master.port());
    const auto denied = run_sluice(s.words(s.replica, {host}));
    INFO(denied.err);
    CHECK(denied.exit_code == 1);
    CHECK(holds(denied.err, "User has insufficient privileges for migration."));
    const auto end = run_sluice(s.words(s.replica, {host, "--master-user=boss", "--master-password=B-secret"}));
    INFO(end.out << end.err);
    CHECK(end.exit_code == 0);
    CHECK(holds(end.err, "Master forced to be 127.0.0.1:" + std::to_string(s.master.port())));
    CHECK(s.has_column(s.on_master, "t") == "1");
    s.on_master.exec("SET sql_log_bin = 1");
    s.catch_up();
    CHECK(s.sum(s.on_replica, "t") == s.sum(s.on_master, "m"));
}

TEST_CASE("of two masters that replicate from each other one is altered, when told so", "[process][ghost][modes]") {
    replicated_scene s(by_gtid, 500);
    point_at(s.what, s.on_master, s.on_replica, s.replica);
    start_replica(s.what, s.on_master);
    const std::string a = "127.0.0.1:" + std::to_string(s.master.port());
    const auto refused = run_sluice(s.words(s.replica, {}));
    INFO(refused.err);
    CHECK(refused.exit_code == 1);
    CHECK(holds(refused.err, "There seems to be a master-master setup at "));
    const auto bare = run_sluice(s.words(s.replica, {"--allow-master-master"}));
    INFO(bare.err);
    CHECK(holds(bare.err, "To proceed please provide --allow-on-master."));
    mirrored_writes writes(s.master, mirrored(), 2, 11, easy_pace);
    const auto end = run_sluice(s.words(s.replica, {"--allow-master-master", "--assume-master-host=" + a}));
    INFO(end.out << end.err);
    REQUIRE(end.exit_code == 0);
    writes.stop();
    CHECK(s.has_column(s.on_master, "t") == "1");
    CHECK(s.sum(s.on_master, "t") == s.sum(s.on_master, "m"));
    s.catch_up();
    CHECK(s.sum(s.on_replica, "t") == s.sum(s.on_master, "t"));
    s.on_master.exec("DROP TABLE _t_del");
    const auto here = run_sluice(s.words(
        s.master, {"--allow-master-master", "--allow-on-master", "--ok-to-drop-table", "--alter=ADD COLUMN d INT"}));
    INFO(here.out << here.err);
    CHECK(here.exit_code == 0);
}

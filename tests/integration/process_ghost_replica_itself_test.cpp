// `sluice gh-ost` on a replica alone: --test-on-replica and --migrate-on-replica.

#include "tests/integration/process_ghost_replica_scene.hpp"

#include <csignal>

namespace {

using namespace sluice::test;
using namespace sluice::test::ghost;

const replicated_kind by_gtid{server_kind::mysql_9_7, true, "9.7"};
const replicated_kind of_mariadb{server_kind::mariadb_10_11, true, "MariaDB"};

/// A shell's wait for a file in the folder, or for the end of the test, which removes the folder.
std::string waits_for(const scratch_folder& folder, const std::string& name) {
    return "\nwhile [ -d " + folder.path.string() + " ] && [ ! -e " + folder.file(name) + " ]; do sleep 0.05; done";
}

/// Where a trial was killed, as far as the tables go.
struct killed_trial {
    bool mariadb = false;
    std::vector<std::string> done;
    std::string by_hand;
};

const std::string sentry =
    "CREATE TABLE `t~old` (i INT) COMMENT 'sluice: holds a name during a cut-over; empty, may be dropped'";

// With two sessions at the swap, ghost and old table bear names of their own for the time of it.
const std::vector<killed_trial> killed_trials{
    {false, {}, ""},
    {false,
     {"RENAME TABLE t TO _t_del, _t_gho TO t"},
     "RENAME TABLE `test`.`t` TO `test`.`_t_gho`, `test`.`_t_del` TO `test`.`t`; "},
    {true, {}, ""},
    {true,
     {"RENAME TABLE _t_gho TO `t~gho`", sentry},
     "DROP TABLE `test`.`t~old`; RENAME TABLE `test`.`t~gho` TO `test`.`_t_gho`; "},
    {true,
     {"RENAME TABLE t TO `t~old`, _t_gho TO t"},
     "RENAME TABLE `test`.`t` TO `test`.`_t_gho`, `test`.`t~old` TO `test`.`t`; "},
    {true,
     {"RENAME TABLE t TO _t_del, _t_gho TO t"},
     "RENAME TABLE `test`.`t` TO `test`.`_t_gho`, `test`.`_t_del` TO `test`.`t`; "}};

std::string applier_runs(const replicated_kind& what, sql_connection& on) {
    if (what.kind == server_kind::mariadb_10_11) {
        return on.scalar("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE COMMAND = 'Slave_SQL'");
    }
    return on.scalar("SELECT COUNT(*) FROM performance_schema.replication_applier_status WHERE SERVICE_STATE = 'ON'");
}

/// Begins a trial and kills it while replication stands still for it, the tables not swapped.
void kill_trial(replicated_scene& s) {
    const std::string asked = s.folder.file("asked");
    make_hook(s.folder, "gh-ost-on-stop-replication", "touch " + asked + waits_for(s.folder, "go"));
    sluice_process process(s.words(s.replica, {"--test-on-replica", "--hooks-path=" + s.folder.path.string(),
                                               "--cut-over-lock-timeout-seconds=10"}));
    wait_until("the hook", [&] { return std::filesystem::exists(asked); });
    // Keeps the swap from taking place.
    sql_connection user = connect(s.replica, "test");
    user.exec("START TRANSACTION");
    user.exec("SELECT COUNT(*) FROM t");
    touch(s.folder.file("go"));
    wait_until("an applier that stands still", [&] { return applier_runs(s.what, s.on_replica) == "0"; });
    process.signal(SIGKILL);
    process.wait();
    user.exec("ROLLBACK");
    wait_for_value(s.on_replica, "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = 'ghoster'", "0");
    // How far its attempt got is chance; from here on it is not.
    if (exists(s.on_replica, "test", "t~old") == "1") s.on_replica.exec("DROP TABLE `t~old`");
    if (exists(s.on_replica, "test", "t~gho") == "1") s.on_replica.exec("RENAME TABLE `t~gho` TO _t_gho");
}

}  // namespace

TEST_CASE("--test-on-replica swaps, swaps back, and leaves both tables to be compared", "[process][ghost][modes]") {
    const replicated_kind kind = GENERATE(by_gtid, of_mariadb);
    CAPTURE(kind.words);
    replicated_scene s(kind);
    const std::string log = s.folder.file("log");
    for (const char* name : {"stop-replication", "start-replication", "before-cut-over", "success"}) {
        make_hook(s.folder, std::string("gh-ost-on-") + name,
                  std::string("echo ") + name + " $GH_OST_MIGRATED_HOST $GH_OST_GHOST_TABLE_NAME >> " + log);
    }
    mirrored_writes writes(s.master, mirrored(), 3, 5, easy_pace);
    const auto end = run_sluice(s.words(s.replica, {"--test-on-replica", "--chunk-size=200", "--max-lag-millis=10000",
                                                    "--hooks-path=" + s.folder.path.string()}));
    writes.stop();
    INFO(end.out << end.err);
    REQUIRE(end.exit_code == 0);
    CHECK(text_of(log) ==
          "before-cut-over 127.0.0.1 _t_gho\nstop-replication 127.0.0.1 _t_gho\nsuccess 127.0.0.1 _t_gho\n");
    CHECK(s.has_column(s.on_replica, "t") == "0");
    CHECK(s.has_column(s.on_replica, "_t_gho") == "1");
    CHECK(s.sum(s.on_replica, "t") == s.sum(s.on_replica, "_t_gho"));
    CHECK(s.sum(s.on_replica, "t") == s.sum(s.on_replica, "m"));
    CHECK(exists(s.on_replica, "test", "\\_t\\_%") == "1");
    CHECK(exists(s.on_master, "test", "\\_t\\_%") == "0");
    CHECK(applier_runs(kind, s.on_replica) == "0");
    start_replica(kind, s.on_replica);
    s.catch_up();
    CHECK(s.sum(s.on_replica, "t") == s.sum(s.on_master, "t"));
}

TEST_CASE("after a cut-over on a replica that is given up, replication goes on", "[process][ghost][modes]") {
    replicated_scene s(by_gtid, 200);
    const std::string log = s.folder.file("log");
    // Somebody comes to use the table behind the look at who does.
    make_hook(s.folder, "gh-ost-on-stop-replication", "echo stop >> " + log + waits_for(s.folder, "go"));
    make_hook(s.folder, "gh-ost-on-start-replication", "echo start >> " + log);
    sluice_process process(s.words(
        s.replica, {"--test-on-replica", "--hooks-path=" + s.folder.path.string(), "--cut-over-lock-timeout-seconds=1",
                    "--default-retries=1", "--cut-over-exponential-backoff"}));
    wait_until("the hook", [&] { return text_of(log) == "stop\n"; });
    sql_connection user = connect(s.replica, "test");
    user.exec("START TRANSACTION");
    user.exec("SELECT COUNT(*) FROM t");
    touch(s.folder.file("go"));
    const auto end = process.wait();
    INFO(end.out << end.err);
    CHECK(end.exit_code == 1);
    CHECK(holds(end.err, "FATAL the cut-over was given up 1 times, last because: "));
    CHECK(text_of(log) == "stop\nstart\n");
    CHECK(applier_runs(by_gtid, s.on_replica) != "0");
    user.exec("ROLLBACK");
    s.catch_up();
    CHECK(s.has_column(s.on_replica, "t") == "0");
}

TEST_CASE("a trial that is told to end while a hook of it hangs has replication started again",
          "[process][ghost][modes]") {
    replicated_scene s(by_gtid, 200);
    const bool by_signal = GENERATE(false, true);
    CAPTURE(by_signal);
    const std::string log = s.folder.file("log");
    make_hook(s.folder, "gh-ost-on-stop-replication", "echo stop >> " + log + waits_for(s.folder, "never"));
    make_hook(s.folder, "gh-ost-on-start-replication", "sleep 0.3\necho start >> " + log);
    sluice_process process(
        s.words(s.replica, {"--test-on-replica", "--hooks-path=" + s.folder.path.string(), "--verbose"}));
    wait_until("the hook", [&] { return text_of(log) == "stop\n"; });
    if (by_signal) {
        process.signal(SIGTERM);
    } else {
        CHECK(holds(tell(s.folder.file("sock"), "panic"), "user commanded 'panic'"));
    }
    const auto end = process.wait();
    INFO(end.out << end.err);
    CHECK(end.exit_code == 1);
    CHECK(holds(end.err, by_signal ? "FATAL ended by signal 15" : "FATAL user commanded 'panic'"));
    CHECK(text_of(log) == "stop\nstart\n");
    CHECK(applier_runs(by_gtid, s.on_replica) != "0");
    CHECK(s.has_column(s.on_replica, "t") == "0");
}

TEST_CASE("what a trial leaves that was killed while replication stood still is put right by the next one",
          "[process][ghost][modes]") {
    const killed_trial at = killed_trials.at(GENERATE(range(0U, 6U)));
    const replicated_kind kind = at.mariadb ? of_mariadb : by_gtid;
    CAPTURE(kind.words, at.by_hand);
    replicated_scene s(kind, 200);
    kill_trial(s);
    for (const std::string& statement : at.done) s.on_replica.exec(statement);
    s.on_master.exec("INSERT INTO t VALUES (1, 'meanwhile', 1)");

    const std::string start = kind.kind == server_kind::mariadb_10_11 ? "START ALL SLAVES" : "START REPLICA";
    for (const auto& more : {std::vector<std::string>{"--test-on-replica"}, {"--migrate-on-replica"}, {}}) {
        const auto refused = run_sluice(s.words(s.replica, more));
        INFO(refused.err);
        CHECK(refused.exit_code == 1);
        CHECK(holds(refused.err, "was stopped by a run with --test-on-replica of `test`.`t` that was killed"));
        CHECK(holds(refused.err, "by hand: " + at.by_hand + start));
    }
    CHECK(applier_runs(kind, s.on_replica) == "0");

    const auto end = run_sluice(
        s.words(s.replica, {"--test-on-replica", "--initially-drop-ghost-table", "--initially-drop-socket-file"}));
    INFO(end.out << end.err);
    REQUIRE(end.exit_code == 0);
    CHECK(s.has_column(s.on_replica, "t") == "0");
    CHECK(s.has_column(s.on_replica, "_t_gho") == "1");
    CHECK(s.sum(s.on_replica, "t") == s.sum(s.on_replica, "_t_gho"));
    CHECK(exists(s.on_replica, "test", "\\_t\\_%") == "1");
    // That one has stopped it at its end, and nobody was killed.
    const auto broken = run_sluice(
        s.words(s.replica, {"--test-on-replica", "--initially-drop-ghost-table", "--initially-drop-socket-file"}));
    CHECK(broken.exit_code == 1);
    CHECK(holds(broken.err, "Please make sure replication runs before using gh-ost (" + start + " starts it"));
    start_replica(kind, s.on_replica);
    s.catch_up();
    CHECK(s.on_replica.scalar("SELECT payload FROM t WHERE id = 1") == "meanwhile");
    CHECK(s.sum(s.on_replica, "t") == s.sum(s.on_master, "t"));
}

TEST_CASE("after a trial that was killed between its swaps a replication that runs again is not gone on with",
          "[process][ghost][modes]") {
    const replicated_kind kind = GENERATE(by_gtid, of_mariadb);
    CAPTURE(kind.words);
    replicated_scene s(kind, 200);
    kill_trial(s);
    s.on_replica.exec("RENAME TABLE t TO _t_del, _t_gho TO t");
    // As a server does that starts again after a loss of power.
    start_replica(kind, s.on_replica);
    s.on_master.exec("INSERT INTO t VALUES (1, 'meanwhile', 1)");
    s.catch_up();
    CHECK(s.on_replica.scalar("SELECT COUNT(*) FROM _t_del WHERE id = 1") == "0");
    for (const auto& more : {std::vector<std::string>{"--test-on-replica", "--initially-drop-ghost-table"},
                             {"--migrate-on-replica", "--initially-drop-ghost-table", "--initially-drop-old-table"},
                             {}}) {
        const auto refused = run_sluice(s.words(s.replica, joined(more, {"--initially-drop-socket-file"})));
        INFO(refused.err);
        CHECK(refused.exit_code == 1);
        CHECK(holds(refused.err, "`test`.`_t_del` the original, which lacks what was replicated since"));
    }
    CHECK(s.on_replica.scalar("SELECT COUNT(*) FROM _t_ghc WHERE hint = 'replication'") == "1");
    CHECK(s.has_column(s.on_replica, "_t_del") == "0");

    // With the tables where they belong nothing is lost, and a run that may do so takes the rest away.
    s.on_replica.exec("RENAME TABLE t TO _t_gho, _t_del TO t");
    const auto end = run_sluice(
        s.words(s.replica, {"--migrate-on-replica", "--initially-drop-ghost-table", "--initially-drop-socket-file"}));
    INFO(end.out << end.err);
    CHECK(end.exit_code == 0);
}

TEST_CASE("replication that a hook was to stop, and did not, ends the trial", "[process][ghost][modes]") {
    replicated_scene s(by_gtid, 200);
    const std::vector<std::string> trial{"--test-on-replica", "--test-on-replica-skip-replica-stop",
                                         "--hooks-path=" + s.folder.path.string()};
    const auto refused = run_sluice(s.words(s.replica, trial));
    INFO(refused.out << refused.err);
    CHECK(refused.exit_code == 1);
    CHECK(holds(refused.err, "still runs, and would change the tables while they are swapped"));
    CHECK(s.has_column(s.on_replica, "t") == "0");
    CHECK(applier_runs(by_gtid, s.on_replica) != "0");

    // The hook's part is played from here.
    const std::string asked = s.folder.file("asked");
    make_hook(s.folder, "gh-ost-on-stop-replication", "touch " + asked + waits_for(s.folder, "stopped"));
    sluice_process process(s.words(s.replica, trial));
    wait_until("the hook", [&] { return std::filesystem::exists(asked); });
    s.on_replica.exec("STOP REPLICA");
    touch(s.folder.file("stopped"));
    const auto end = process.wait();
    INFO(end.out << end.err);
    CHECK(end.exit_code == 0);
    CHECK(s.has_column(s.on_replica, "_t_gho") == "1");
    CHECK(s.sum(s.on_replica, "t") == s.sum(s.on_replica, "_t_gho"));
}

TEST_CASE("--migrate-on-replica alters the table there alone", "[process][ghost][modes]") {
    const replicated_kind kind = GENERATE(by_gtid, of_mariadb);
    CAPTURE(kind.words);
    replicated_scene s(kind);
    // As replicas mostly are; the run's account may write all the same.
    s.on_replica.exec("SET GLOBAL read_only = ON");
    const std::string flag = s.folder.file("postpone");
    mirrored_writes writes(s.master, mirrored(), 3, 9, easy_pace);
    sluice_process process(s.words(s.replica, {"--migrate-on-replica", "--chunk-size=200", "--ok-to-drop-table",
                                               "--max-lag-millis=10000", "--postpone-cut-over-flag-file=" + flag}));
    const std::string socket = s.folder.file("sock");
    const std::string here = "127.0.0.1:" + std::to_string(s.replica.port());
    CHECK(holds(wait_for_answer(socket, "status", "State: postponing cut-over"),
                "# Migrating " + here + "; inspecting " + here));
    std::filesystem::remove(flag);
    const auto end = process.wait();
    INFO(end.out << end.err);
    REQUIRE(end.exit_code == 0);
    writes.stop();
    CHECK(s.has_column(s.on_replica, "t") == "1");
    CHECK(s.has_column(s.on_master, "t") == "0");
    CHECK(exists(s.on_replica, "test", "\\_t\\_%") == "0");
    s.catch_up();
    CHECK(applier_runs(kind, s.on_replica) != "0");
    CHECK(s.sum(s.on_replica, "t") == s.sum(s.on_master, "t"));
    CHECK(s.on_replica.scalar("SELECT COUNT(*) FROM t WHERE c <> 5") == "0");
}

TEST_CASE("what works on a replica alone heeds that replica's own lag", "[process][ghost][modes]") {
    replicated_scene s(by_gtid, 500);
    const std::string flag = s.folder.file("postpone");
    sluice_process process(s.words(s.replica, {"--migrate-on-replica", "--postpone-cut-over-flag-file=" + flag}));
    const std::string socket = s.folder.file("sock");
    wait_for_answer(socket, "sup", "State: postponing cut-over");
    s.on_replica.exec("STOP REPLICA SQL_THREAD");
    const std::string answer =
        wait_for_answer(socket, "sup", "State: throttled, 127.0.0.1:" + std::to_string(s.replica.port()) + " ");
    CHECK(holds(answer, "replication does not run (receiver: Yes, applier: No)"));
    std::filesystem::remove(flag);
    // Its heartbeats go on meanwhile.
    const std::string last = s.on_replica.scalar("SELECT value FROM _t_ghc WHERE hint = 'heartbeat'");
    wait_for_value(s.on_replica, "SELECT value > '" + last + "' FROM _t_ghc WHERE hint = 'heartbeat'");
    CHECK(s.has_column(s.on_replica, "t") == "0");
    s.on_replica.exec("START REPLICA");
    const auto end = process.wait();
    INFO(end.out << end.err);
    CHECK(end.exit_code == 0);
    CHECK(s.has_column(s.on_replica, "t") == "1");
}

TEST_CASE("a replica that cannot be worked on alone is refused", "[process][ghost][modes]") {
    replicated_scene s(of_mariadb, 10);
    for (const char* mode : {"--test-on-replica", "--migrate-on-replica"}) {
        const auto end = run_sluice(s.words(s.master, {mode}));
        CHECK(end.exit_code == 1);
        CHECK(holds(end.err,
                    "Instructed to --test-on-replica or --migrate-on-replica, but the server we connect to "
                    "doesn't seem to be a replica"));
    }
    s.replica.restart({"--log-slave-updates=OFF"});
    const auto end = run_sluice(s.words(s.replica, {"--migrate-on-replica"}));
    INFO(end.err);
    CHECK(end.exit_code == 1);
    CHECK(holds(end.err, "must have log_slave_updates enabled for testing/migrating on replica"));
}

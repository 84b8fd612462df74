// `sluice gh-ost` connected to the last one of a chain of replicas.

#include "tests/integration/process_ghost_replica_scene.hpp"

namespace {

using namespace sluice::test;
using namespace sluice::test::ghost;

/// master -> middle -> last
struct chain_scene {
    explicit chain_scene(const replicated_kind& kind)
        : what(kind),
          master(start_for_replication(kind, 1)),
          middle(start_for_replication(kind, 2)),
          last(start_for_replication(kind, 3)),
          on_master(connect(master, "test")),
          on_middle(connect(middle, "test")),
          on_last(connect(last, "test")) {
        for (sql_connection* each : {&on_master, &on_middle, &on_last}) forget_log(what, *each);
        point_at(what, on_last, on_middle, middle);
        point_at(what, on_middle, on_master, master);
        make_replicating_account(on_master);
        start_replica(what, on_middle);
        wait_for_value(on_middle, "SELECT COUNT(*) FROM mysql.user WHERE User = 'ghoster'");
        start_replica(what, on_last);
        make_mirrored(on_master, 2'000);
        catch_up();
    }
    void catch_up() { ghost::catch_up(on_master, on_last); }
    [[nodiscard]] std::vector<std::string> words(const std::vector<std::string>& more) const {
        return words_at(last, folder, joined({"--max-lag-millis=20000"}, more));
    }

    replicated_kind what;
    scratch_folder folder;
    mysql_server master;
    mysql_server middle;
    mysql_server last;
    sql_connection on_master;
    sql_connection on_middle;
    sql_connection on_last;
};

std::string name_of(const mysql_server& server) { return "127.0.0.1:" + std::to_string(server.port()); }

}  // namespace

TEST_CASE("at the end of a chain of replicas the master is found, and altered by the last one's log",
          "[process][ghost][modes]") {
    const replicated_kind kind = GENERATE(replicated_kind{server_kind::mysql_9_7, true, "9.7 by GTID"},
                                          replicated_kind{server_kind::mysql_9_7, false, "9.7 by marker"},
                                          replicated_kind{server_kind::mariadb_10_11, true, "MariaDB"});
    CAPTURE(kind.words);
    chain_scene s(kind);
    using scene = replicated_scene;
    const std::string flag = s.folder.file("postpone");
    mirrored_writes writes(s.master, mirrored(), 1, 13, easy_pace);
    sluice_process process(s.words({"--postpone-cut-over-flag-file=" + flag, "--chunk-size=200"}));
    const std::string socket = s.folder.file("sock");
    wait_for_answer(socket, "sup", "State: postponing cut-over");
    // Each log has one reader: the next server, and behind the last one the run.
    for (sql_connection* each : {&s.on_master, &s.on_middle, &s.on_last}) CHECK(scene::readers(*each) == "1");
    CHECK(holds(tell(socket, "applier"), name_of(s.master)));
    CHECK(holds(tell(socket, "inspector"), name_of(s.last)));
    let_write(writes);
    std::filesystem::remove(flag);
    const auto end = process.wait();
    INFO(end.out << end.err);
    REQUIRE(end.exit_code == 0);
    CHECK(holds(end.err, "Master found to be " + name_of(s.master)));
    writes.stop();
    CHECK(scene::has_column(s.on_master, "t") == "1");
    CHECK(scene::sum(s.on_master, "t") == scene::sum(s.on_master, "m"));
    s.catch_up();
    CHECK(scene::has_column(s.on_last, "t") == "1");
    CHECK(scene::sum(s.on_last, "t") == scene::sum(s.on_master, "m"));
    CHECK(exists(s.on_master, "test", "\\_t\\_gh_") == "0");
}

TEST_CASE("a server in the middle of a chain that does not hand on every change is refused",
          "[process][ghost][modes]") {
    chain_scene s(replicated_kind{server_kind::mysql_9_7, true, "9.7"});
    s.on_middle.exec("STOP REPLICA");
    const auto stopped = run_sluice(s.words({}));
    CHECK(stopped.exit_code == 1);
    CHECK(holds(stopped.err, "Replication on " + name_of(s.middle) + " is broken"));
    s.on_middle.exec("SET GLOBAL replica_exec_mode = IDEMPOTENT");
    s.on_middle.exec("START REPLICA");
    wait_until_replicating(s.on_middle);
    const auto skips = run_sluice(s.words({}));
    INFO(skips.err);
    CHECK(skips.exit_code == 1);
    CHECK(holds(skips.err, name_of(s.middle) + ": it passes over changes of rows that it has not"));
    CHECK(exists(s.on_master, "test", "\\_t\\_%") == "0");
}

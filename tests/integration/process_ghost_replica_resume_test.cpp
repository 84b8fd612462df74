// `sluice gh-ost` connected to a replica: --resume of a run that was ended, and --revert of one that is done, by what
// the replica's binary log says.

#include "tests/integration/process_ghost_replica_scene.hpp"

namespace {

using namespace sluice::test;
using namespace sluice::test::ghost;

}  // namespace

TEST_CASE("a run by a replica's log goes on after a panic in the middle of the copy", "[process][ghost][modes]") {
    const replicated_kind kind = any_kind();
    CAPTURE(kind.words);
    replicated_scene s(kind);
    const std::string flag = s.folder.file("postpone");
    const std::string socket = s.folder.file("sock");
    const auto words = [&](std::vector<std::string> more) {
        more.insert(more.end(), {"--checkpoint", "--checkpoint-seconds=1", "--chunk-size=10", "--max-lag-millis=20000",
                                 "--verify=false", "--postpone-cut-over-flag-file=" + flag});
        return s.words(s.replica, more);
    };
    // By file and offset the two servers have nothing in common.
    for (int i = 0; i < 3; ++i) s.on_replica.exec("FLUSH BINARY LOGS");
    {
        sluice_process run(words({"--nice-ratio=30"}));
        wait_for_value(
            s.on_master,
            "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'test' AND TABLE_NAME = '_t_ghk'");
        wait_for_value(s.on_master, "SELECT COUNT(*) FROM _t_ghk");
        CHECK(holds(wait_for_answer(socket, "sup", "Copy: "), "State: migrating"));
        (void)tell(socket, "panic");
        const auto end = run.wait();
        INFO(end.err);
        CHECK(end.exit_code == 1);
    }
    CHECK(s.on_master.scalar("SELECT COUNT(*) < (SELECT COUNT(*) FROM t) FROM _t_gho") == "1");
    // What only the log tells of: of rows that are copied, and not yet.
    for (const char* table : {"t", "m"}) {
        s.on_master.exec(std::string("UPDATE ") + table + " SET amount = amount + 1 WHERE id % 7 = 0");
        s.on_master.exec(std::string("DELETE FROM ") + table + " WHERE id % 11 = 0");
        s.on_master.exec(std::string("INSERT INTO ") + table + " VALUES (1, 'late', 1), (3999, 'late', 2)");
    }
    sluice_process run(words({"--resume"}));
    run.wait_for_message("goes on from its checkpoint");
    wait_for_answer(socket, "sup", "State: postponing cut-over");
    CHECK(s.readers(s.on_replica) == "1");
    CHECK(s.readers(s.on_master) == "1");
    std::filesystem::remove(flag);
    const auto end = run.wait();
    INFO(end.out << end.err);
    REQUIRE(end.exit_code == 0);
    CHECK(s.has_column(s.on_master, "t") == "1");
    CHECK(s.sum(s.on_master, "t") == s.sum(s.on_master, "m"));
    s.catch_up();
    CHECK(s.sum(s.on_replica, "t") == s.sum(s.on_master, "m"));
}

TEST_CASE("a run by a replica's log is taken back by it, with what was written since", "[process][ghost][modes]") {
    const replicated_kind kind = any_kind();
    CAPTURE(kind.words);
    replicated_scene s(kind, 500);
    for (int i = 0; i < 3; ++i) s.on_replica.exec("FLUSH BINARY LOGS");
    const auto there = run_sluice(s.words(s.replica, {"--checkpoint", "--max-lag-millis=20000"}));
    INFO(there.err);
    REQUIRE(there.exit_code == 0);
    for (const std::string table : {"t", "m"}) {
        s.on_master.exec("UPDATE " + table + " SET amount = amount + 1 WHERE id % 7 = 0");
        s.on_master.exec("DELETE FROM " + table + " WHERE id % 11 = 0");
        s.on_master.exec("INSERT INTO " + table + " (id, payload, amount) VALUES (1, 'late', 1)");
    }
    const std::string flag = s.folder.file("postpone");
    sluice_process run(s.words(s.replica, {"--revert", "--old-table=_t_del", "--max-lag-millis=20000"}));
    const auto end = run.wait();
    INFO(end.out << end.err);
    REQUIRE(end.exit_code == 0);
    CHECK(s.has_column(s.on_master, "t") == "0");
    CHECK(s.sum(s.on_master, "t") == s.sum(s.on_master, "m"));
    CHECK(s.on_master.scalar("SELECT MAX(c) FROM _t_gho") == "5");
    s.catch_up();
    CHECK(s.sum(s.on_replica, "t") == s.sum(s.on_master, "m"));
}

TEST_CASE("a checkpoint is not taken up by another server's log", "[process][ghost][modes]") {
    // By file and offset: without GTIDs.
    replicated_scene s(replicated_kind{server_kind::mysql_9_7, false, "9.7 by marker"}, 500);
    const auto there = run_sluice(s.words(s.replica, {"--checkpoint", "--max-lag-millis=20000"}));
    INFO(there.err);
    REQUIRE(there.exit_code == 0);
    const std::vector<std::string> back{"--revert", "--old-table=_t_del", "--allow-on-master"};
    const auto refused = run_sluice(s.words(s.master, back));
    INFO(refused.err);
    CHECK(refused.exit_code == 1);
    CHECK(holds(refused.err, "the place of the cut-over is known in another server's binary log only"));
    CHECK(s.has_column(s.on_master, "t") == "1");
    CHECK(exists(s.on_master, "test", "\\_t\\_gh_") == "1");  // _t_ghk
    // Nothing of the refused run stands in the way of the right one, which may clean up as well.
    const auto end = run_sluice(
        s.words(s.replica, {"--revert", "--old-table=_t_del", "--ok-to-drop-table", "--max-lag-millis=20000"}));
    INFO(end.err);
    CHECK(end.exit_code == 0);
    CHECK(s.has_column(s.on_master, "t") == "0");
    CHECK(s.sum(s.on_master, "t") == s.sum(s.on_master, "m"));
    CHECK(exists(s.on_master, "test", "\\_t\\_%") == "0");
}

TEST_CASE("by GTIDs a run that read a replica's log is taken back by the master's own", "[process][ghost][modes]") {
    replicated_scene s(replicated_kind{server_kind::mysql_9_7, true, "9.7 by GTID"}, 500);
    const auto there = run_sluice(s.words(s.replica, {"--checkpoint", "--max-lag-millis=20000"}));
    INFO(there.err);
    REQUIRE(there.exit_code == 0);
    for (const std::string table : {"t", "m"}) s.on_master.exec("UPDATE " + table + " SET amount = amount + 1");
    const auto end = run_sluice(s.words(s.master, {"--revert", "--old-table=_t_del", "--allow-on-master"}));
    INFO(end.err);
    CHECK(end.exit_code == 0);
    CHECK(s.has_column(s.on_master, "t") == "0");
    CHECK(s.sum(s.on_master, "t") == s.sum(s.on_master, "m"));
}

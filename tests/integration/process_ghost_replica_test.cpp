// `sluice gh-ost` connected to a replica: it finds the master, alters the table there, and heeds the replica's lag.

#include "tests/integration/process_throttle_scene.hpp"

namespace {

using namespace sluice::test;
using namespace sluice::test::ghost;

}  // namespace

TEST_CASE("connected to a replica it alters the master, and the replica's lag holds it back", "[process][ghost]") {
    primary_and_replica servers;
    scratch_folder folder;
    sql_connection on_master = connect(servers.primary);
    sql_connection on_replica = connect(servers.replica);
    on_master.exec("CREATE DATABASE d");
    on_master.exec("USE d");
    on_master.exec("CREATE TABLE t " + std::string(plain_table));
    fill(on_master, "t", 1000);
    servers.wait_for_replica();
    const std::string socket = folder.file("sock");
    const auto words = [&](const mysql_server& server, const std::vector<std::string>& more) {
        return words_for(server, folder, "d", "t",
                         joined({"--alter=ADD COLUMN c INT", "--ok-to-drop-table", "--execute"}, more));
    };
    const auto bare = run_sluice(words(servers.primary, {}));
    CHECK(bare.exit_code == 1);
    CHECK(holds(bare.err, "To proceed please provide --allow-on-master."));

    const std::string flag = folder.file("throttle");
    touch(flag);
    sluice_process process(words(servers.replica, {"--throttle-flag-file=" + flag}));
    wait_for_answer(socket, "sup", "State: throttled, flag-file");
    wait_for_value(on_replica, "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_NAME = '_t_ghc'");
    wait_for_value(on_replica, "SELECT COUNT(*) FROM d._t_ghc WHERE hint = 'heartbeat'");
    on_replica.exec("STOP REPLICA SQL_THREAD");
    wait_for_value(on_replica, "SELECT last_update < NOW() - INTERVAL 3 SECOND FROM d._t_ghc WHERE hint = 'heartbeat'");
    std::filesystem::remove(flag);
    const std::string lagging = servers.replica_text() + " replica-lag=";
    CHECK(holds(wait_for_answer(socket, "sup", "State: throttled, " + lagging), "Copy: 0/"));
    CHECK(holds(tell(socket, "applier"), "127.0.0.1:" + std::to_string(servers.primary.port()) + ", "));
    CHECK(holds(tell(socket, "inspector"), servers.replica_text() + ", "));
    on_replica.exec("START REPLICA");
    const auto end = process.wait();
    INFO(end.out << end.err);
    REQUIRE(end.exit_code == 0);
    const std::string column =
        "SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'd' AND TABLE_NAME = 't' AND COLUMN_NAME "
        "= 'c'";
    CHECK(on_master.scalar(column) == "1");
    wait_for_value(on_replica, column);
}

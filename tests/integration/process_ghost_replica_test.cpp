// `sluice gh-ost` connected to a replica: it finds the master, alters the table there, and heeds the replica's lag.

#include "tests/integration/process_ghost_scene.hpp"

namespace {

using namespace sluice::test;
using namespace sluice::test::ghost;

mysql_server start_with_id(std::uint32_t id) {
    server_options options;
    options.server_id = id;
    return mysql_server::start(options);
}

}  // namespace

TEST_CASE("connected to a replica it alters the master, and the replica's lag holds it back", "[process][ghost]") {
    const auto master = start_with_id(1);
    const auto replica = start_with_id(2);
    scratch_folder folder;
    sql_connection on_master = connect(master);
    sql_connection on_replica = connect(replica);
    // Both were made from the same prepared folder, with the same accounts in their logs.
    for (sql_connection* each : {&on_master, &on_replica}) each->exec("RESET BINARY LOGS AND GTIDS");
    on_master.exec("CREATE USER ghoster@'%' IDENTIFIED BY 'W-secret'");
    on_master.exec("GRANT ALL ON *.* TO ghoster@'%'");
    on_replica.exec(
        "CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = " + std::to_string(master.port()) +
        ", SOURCE_USER = 'ghoster', SOURCE_PASSWORD = 'W-secret', SOURCE_AUTO_POSITION = 1, "
        "GET_SOURCE_PUBLIC_KEY = 1");
    on_replica.exec("START REPLICA");
    on_master.exec("CREATE DATABASE d");
    on_master.exec("USE d");
    on_master.exec(std::string("CREATE TABLE t ") + plain_table);
    fill(on_master, "t", 1000);
    const std::string executed = on_master.scalar("SELECT @@gtid_executed");
    REQUIRE(on_replica.scalar("SELECT WAIT_FOR_EXECUTED_GTID_SET('" + executed + "', 60)") == "0");
    const std::string socket = folder.file("sock");
    const auto words = [&](const mysql_server& server, std::vector<std::string> more) {
        std::vector<std::string> all{"gh-ost",
                                     "--host=" + server.host(),
                                     "--port=" + std::to_string(server.port()),
                                     "--user=ghoster",
                                     "--password=W-secret",
                                     "--database=d",
                                     "--table=t",
                                     "--alter=ADD COLUMN c INT",
                                     "--serve-socket-file=" + socket,
                                     "--ok-to-drop-table",
                                     "--execute"};
        all.insert(all.end(), more.begin(), more.end());
        return all;
    };
    const auto bare = run_sluice(words(master, {}));
    CHECK(bare.exit_code == 1);
    CHECK(holds(bare.err, "To proceed please provide --allow-on-master."));

    const std::string flag = folder.file("throttle");
    touch(flag);
    sluice_process process(words(replica, {"--throttle-flag-file=" + flag}));
    wait_for_answer(socket, "sup", "State: throttled, flag-file");
    const auto wait_on_replica = [&](const std::string& query) {
        const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
        while (on_replica.scalar(query) != "1") {
            REQUIRE(std::chrono::steady_clock::now() < until);
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        }
    };
    wait_on_replica("SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_NAME = '_t_ghc'");
    wait_on_replica("SELECT COUNT(*) FROM d._t_ghc WHERE hint = 'heartbeat'");
    on_replica.exec("STOP REPLICA SQL_THREAD");
    wait_on_replica("SELECT last_update < NOW() - INTERVAL 3 SECOND FROM d._t_ghc WHERE hint = 'heartbeat'");
    std::filesystem::remove(flag);
    const std::string lagging = "127.0.0.1:" + std::to_string(replica.port()) + " replica-lag=";
    CHECK(holds(wait_for_answer(socket, "sup", "State: throttled, " + lagging), "Copy: 0/"));
    CHECK(holds(tell(socket, "applier"), "127.0.0.1:" + std::to_string(master.port()) + ", "));
    CHECK(holds(tell(socket, "inspector"), "127.0.0.1:" + std::to_string(replica.port()) + ", "));
    on_replica.exec("START REPLICA");
    const auto end = process.wait();
    INFO(end.out << end.err);
    REQUIRE(end.exit_code == 0);
    const std::string column =
        "SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'd' AND TABLE_NAME = 't' AND COLUMN_NAME "
        "= 'c'";
    CHECK(on_master.scalar(column) == "1");
    wait_on_replica(column);
}

// Throttles of `sluice gh-ost`: each one holds the copy back and shows its reason in the status line, and so does the
// loss of its signal.

#include "tests/integration/process_throttle_scene.hpp"

#include <csignal>

namespace {

using namespace sluice::test;
using namespace sluice::test::ghost;

}  // namespace

TEST_CASE("each throttle holds the copy back and shows its reason", "[process][ghost][throttle]") {
    primary_and_replica servers;
    scratch_folder folder;
    sql_connection sql = connect(servers.primary);
    sql_connection on_replica = connect(servers.replica);
    sql.exec("CREATE DATABASE my_db");
    sql.exec("USE my_db");
    sql.exec("CREATE TABLE t " + std::string(plain_table));
    fill(sql, "t", 1000);
    sql.exec("CREATE TABLE control (v INT)");
    sql.exec("INSERT INTO control VALUES (1)");
    servers.wait_for_replica();
    status_server web;
    const std::string flag = folder.file("throttle");
    const std::string flag_of_all = folder.file("all");
    const std::string socket = folder.file("sock");
    touch(flag);
    sluice_process process(
        words_for(servers.primary, folder, "my_db", "t",
                  {"--allow-on-master", "--throttle-flag-file=" + flag, "--critical-load-hibernate-seconds=1",
                   "--max-lag-millis=1000", "--alter=ADD COLUMN c INT", "--execute"}));
    const auto wait_for = [&](const std::string& state) {
        CHECK(holds(wait_for_answer(socket, "sup", "State: throttled, " + state), "Copy: 0/"));
    };
    wait_for("flag-file");
    // The next reason is there before the last one goes, so that nothing slips through between.
    tell(socket, "max-load=Threads_connected=1");
    std::filesystem::remove(flag);
    wait_for("max-load Threads_connected=");
    CHECK(holds(tell(socket, "sup"), " >= 1; ETA: N/A"));
    touch(flag_of_all);
    wait_for("flag-file");
    tell(socket, "max-load=No_such_variable=1");
    std::filesystem::remove(flag_of_all);
    wait_for("max-load No_such_variable: the server has no such status variable");
    tell(socket, "throttle-query=SELECT MAX(v) FROM my_db.control");
    tell(socket, "max-load=");
    wait_for("throttle-query;");
    sql.exec("RENAME TABLE control TO away");
    wait_for("throttle-query: Table 'my_db.control' doesn't exist (error 1146)");
    web.status = 500;
    tell(socket, "throttle-http=" + web.url());
    sql.exec("UPDATE away SET v = 0");
    sql.exec("RENAME TABLE away TO control");
    wait_for("Internal server error (http=500)");
    web.answers = false;
    wait_for("http=-1 (");
    tell(socket, "throttle-control-replicas=" + servers.replica_text());
    wait_until("a heartbeat on the replica", [&] {
        return on_replica.scalar("SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_NAME = '_t_ghc'") == "1" &&
               on_replica.scalar("SELECT COUNT(*) FROM my_db._t_ghc WHERE hint = 'heartbeat'") == "1";
    });
    on_replica.exec("STOP REPLICA SQL_THREAD");
    wait_for_value(on_replica, "SELECT last_update < NOW() - INTERVAL 2 SECOND FROM my_db._t_ghc WHERE id = 1");
    tell(socket, "throttle-http=");
    wait_for(servers.replica_text() + " replica-lag=");
    tell(socket, "throttle-control-replicas=127.0.0.1:1");
    wait_for("127.0.0.1:1 ");
    tell(socket, "critical-load=Threads_connected=1");
    wait_for("critical-load-hibernate until 20");
    tell(socket, "throttle");
    tell(socket, "throttle-control-replicas=");
    tell(socket, "critical-load=");
    wait_for("commanded by user");
    tell(socket, "no-throttle");
    const auto end = process.wait();
    INFO(end.out << end.err);
    CHECK(end.exit_code == 0);
    CHECK(holds(end.out, "Copy: 1024/1024 100.0%"));
}

TEST_CASE("a URL that does not answer throttles, but not with --ignore-http-errors", "[process][ghost][throttle]") {
    scene s(server_kind::mysql_9_7);
    s.sql->exec("CREATE TABLE t " + std::string(plain_table));
    fill(*s.sql, "t", 100);
    std::uint16_t port = 0;
    const int listening = listen_on_loopback(port);
    REQUIRE(listening >= 0);
    // Without accept() it takes a connection and never answers; closed, the port refuses.
    const bool refuses = GENERATE(false, true);
    CAPTURE(refuses);
    if (refuses) ::close(listening);
    const std::vector<std::string> words{"--alter=ADD COLUMN c INT",
                                         "--throttle-http=http://127.0.0.1:" + std::to_string(port) + "/",
                                         "--throttle-http-timeout-millis=100",
                                         "--throttle-http-interval-millis=20",
                                         "--initially-drop-ghost-table",
                                         "--initially-drop-socket-file",
                                         "--execute"};
    {
        sluice_process process(s.words("t", words));
        const std::string answer = wait_for_answer(s.folder.file("sock"), "sup", refuses ? "refused" : "timeout");
        INFO(answer);
        CHECK(holds(answer, "State: throttled, http=-1 (127.0.0.1:" + std::to_string(port) + ": "));
        CHECK(holds(answer, "Copy: 0/"));
        process.signal(SIGTERM);
        process.wait();
    }
    const auto end = run_sluice(s.words("t", joined(words, {"--ignore-http-errors"})));
    if (!refuses) ::close(listening);
    INFO(end.out << end.err);
    CHECK(end.exit_code == 0);
    CHECK(holds(end.out, "Copy: 128/128 100.0%"));
}

TEST_CASE("critical load met twice ends the run", "[process][ghost][throttle]") {
    scene s(server_kind::mysql_9_7);
    const std::string columns = plain_table;
    s.sql->exec("CREATE TABLE t " + columns);
    fill(*s.sql, "t", 100);
    const auto critical =
        run_sluice(s.words("t", {"--alter=ADD COLUMN c INT", "--critical-load=Threads_connected=1",
                                 "--critical-load-interval-millis=300", "--initially-drop-ghost-table", "--execute"}));
    INFO(critical.out << critical.err);
    CHECK(critical.exit_code == 1);
    CHECK(holds(critical.err, "FATAL critical-load met again after 300 millis: Threads_connected="));
    CHECK(exists(*s.sql, "my_db", "\\_t\\_gho") == "1");
}

TEST_CASE("with a nice ratio the copy rests so many times as long as a chunk took", "[process][ghost][throttle]") {
    scene s(server_kind::mysql_9_7);
    s.sql->exec("CREATE TABLE t " + std::string(plain_table));
    fill(*s.sql, "t", 100);
    const std::string took = s.folder.file("took");
    make_hook(s.folder, "gh-ost-on-success", "echo $GH_OST_ELAPSED_COPY_SECONDS > " + took);
    touch(s.folder.file("all"));
    sluice_process process(s.words("t", {"--alter=ENGINE=InnoDB", "--nice-ratio=10", "--chunk-size=10",
                                         "--ok-to-drop-table", "--hooks-path=" + s.folder.path.string(), "--execute"}));
    wait_for_answer(s.folder.file("sock"), "status", "throttled");
    ghost_owner owner(s.server, "my_db");
    std::filesystem::remove(s.folder.file("all"));
    const double waited_s = owner.keep_waiting();
    const auto end = process.wait();
    INFO(end.out << end.err);
    REQUIRE(end.exit_code == 0);
    INFO("waited for " << waited_s << " s, copy took " << text_of(took));
    CHECK(std::stod(text_of(took)) >= 11 * waited_s);
}

// `sluice gh-ost` as gh-ost's users know it, on real servers.

#include "tests/integration/process_ghost_scene.hpp"
#include "tests/support/ghost_lines.hpp"

namespace {

using namespace sluice::test;
using namespace sluice::test::ghost;

line_server at(const mysql_server& server) {
    return {server.host(), std::to_string(server.port()), "ghoster", "W-secret"};
}

}  // namespace

TEST_CASE("gh-ost's first command line runs as it stands", "[process][ghost]") {
    const auto kind = GENERATE(server_kind::mysql_9_7, server_kind::mysql_5_6, server_kind::mariadb_10_11);
    CAPTURE(to_string(kind));
    scene s(kind);
    s.sql->exec(std::string("CREATE TABLE a ") + plain_table);
    fill(*s.sql, "a", 500);
    const std::string sum = s.one("SELECT CONCAT(COUNT(*), ' ', SUM(CRC32(CONCAT(id, v)))) FROM a");
    const auto end = run_sluice(joined({"gh-ost"}, first_ghost_line(at(s.server))));
    INFO(end.out << end.err);
    REQUIRE(end.exit_code == 0);
    CHECK(holds(end.out, "# Migrating `my_db`.`a`; Ghost table is `my_db`.`_a_gho`\n"));
    CHECK(holds(end.out, "# chunk-size: 10; max-lag-millis: 1500ms;"));
    CHECK(holds(end.out, "Copy: 512/512 100.0%; Applied: 0; Backlog: 0/"));
    CHECK(holds(end.out, "State: migrating; ETA: due\n"));
    CHECK(end.out.ends_with("# Done\n"));
    CHECK(holds(end.err, "# Note: --assume-rbr: "));
    CHECK(s.one("SELECT CONCAT(COUNT(*), ' ', SUM(CRC32(CONCAT(id, v)))) FROM a") == sum);
    CHECK(exists(*s.sql, "my_db", "%\\_a\\_%") == "0");
    CHECK(s.one("SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = '_sluice'") == "0");
    CHECK_FALSE(std::filesystem::exists("/tmp/gh-ost.my_db.a.sock"));
}

TEST_CASE("gh-ost's second command line runs as it stands", "[process][ghost]") {
    const auto kind = GENERATE(server_kind::mysql_9_7, server_kind::mysql_5_6);
    CAPTURE(to_string(kind));
    scratch_folder folder;
    const auto server = start_server(kind);
    make_account(server, "icps2");
    sql_connection sql = connect(server, "icps2");
    sql.exec(
        "CREATE TABLE cps_transactions_copy2 (id INT AUTO_INCREMENT PRIMARY KEY, v VARCHAR(20) NOT NULL, "
        "KEY index_transsource (v))");
    fill(sql, "cps_transactions_copy2", 2000);
    const std::string flag = folder.file("F2");
    // The server stands for its own replica r1: it has the heartbeats.
    sluice_process process(
        joined({"gh-ost"},
               second_ghost_line(at(server), "127.0.0.1:" + std::to_string(server.port()), folder.file("F1"), flag)));
    const std::string socket = "/tmp/gh-ost.icps2.cps_transactions_copy2.sock";
    wait_for_answer(socket, "sup", "State: postponing cut-over; ETA: due");
    REQUIRE(std::filesystem::exists(flag));
    CHECK(sql.scalar("SELECT COUNT(*) FROM _cps_transactions_copy2_ghc WHERE hint = 'heartbeat' AND id = 1") == "1");
    std::filesystem::remove(flag);
    const auto end = process.wait();
    INFO(end.out << end.err);
    REQUIRE(end.exit_code == 0);
    CHECK(holds(end.err, " INFO Exact number of rows via COUNT: 2048\n"));
    CHECK(holds(end.out, "Copy: 2048/2048 100.0%;"));
    CHECK(sql.scalar("SELECT COUNT(*) FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = 'icps2' AND TABLE_NAME = "
                     "'cps_transactions_copy2' AND INDEX_NAME = 'index_transsource'") == "0");
    CHECK(exists(sql, "icps2", "\\_cps\\_transactions\\_copy2\\_20%\\_del") == "1");
    CHECK(exists(sql, "icps2", "%\\_gh_") == "0");
}

TEST_CASE("without --execute it says what it would do, and changes nothing", "[process][ghost]") {
    scene s(server_kind::mysql_9_7);
    s.sql->exec(std::string("CREATE TABLE t ") + plain_table);
    const auto before = s.sql->query("SHOW CREATE TABLE t");
    const auto end = run_sluice(s.words("t", {"--alter=ADD COLUMN c INT"}));
    INFO(end.out << end.err);
    REQUIRE(end.exit_code == 0);
    CHECK(holds(end.out, "+ c int\n"));
    CHECK(holds(end.out, "Nothing was changed.\n"));
    CHECK(end.out.ends_with("# Without --execute nothing is done.\n# Done\n"));
    CHECK(s.sql->query("SHOW CREATE TABLE t") == before);
    CHECK(s.sql->query("SHOW TABLES").size() == 1);
}

TEST_CASE("refusals have gh-ost's sentences and exit code", "[process][ghost]") {
    scene s(server_kind::mysql_9_7);
    s.sql->exec(std::string("CREATE TABLE t ") + plain_table);
    const auto refused = [&](const std::string& table, std::vector<std::string> more) {
        more.emplace_back("--execute");
        const auto end = run_sluice(s.words(table, more));
        INFO(end.out << end.err);
        CHECK(end.exit_code == 1);
        CHECK(holds(end.err, " FATAL "));
        return end.err;
    };
    CHECK(holds(refused("nope", {"--alter=FORCE"}), "FATAL Cannot find table `my_db`.`nope`! ("));
    s.sql->exec("CREATE TRIGGER tr AFTER INSERT ON t FOR EACH ROW SET @x = 1");
    CHECK(holds(refused("t", {"--alter=FORCE"}),
                "FATAL Found triggers on `my_db`.`t`. Triggers are not supported at this time. Bailing out ("));
    s.sql->exec("DROP TRIGGER tr");
    s.sql->exec("CREATE TABLE _t_gho (id INT)");
    CHECK(holds(refused("t", {"--alter=FORCE"}),
                "Table `my_db`.`_t_gho` already exists. Panicking. Use --initially-drop-ghost-table"));
    const auto bare = run_sluice({"gh-ost", "--host=" + s.server.host(), "--port=" + std::to_string(s.server.port()),
                                  "--user=ghoster", "--password=W-secret", "--database=my_db", "--table=t",
                                  "--alter=FORCE", "--execute"});
    CHECK(bare.exit_code == 1);
    CHECK(holds(bare.err, "To proceed please provide --allow-on-master."));
    const auto unknown = run_sluice({"gh-ost", "--no-such-flag"});
    CHECK(unknown.exit_code == 2);
    CHECK(unknown.out.starts_with("flag provided but not defined: -no-such-flag\nUsage of gh-ost:\n"));
    CHECK(
        run_sluice({"gh-ost", "--check-flag", "--cut-over-lock-timeout-seconds", "1", "--nice-ratio", "0"}).exit_code ==
        0);
    const auto no_flag = run_sluice({"gh-ost", "--check-flag", "--no-such-flag"});
    CHECK(no_flag.exit_code == 2);
    CHECK(no_flag.out.starts_with("flag provided but not defined: -no-such-flag\n"));
    CHECK(run_sluice({"gh-ost", "--version"}).out.starts_with("Sluice "));
}

TEST_CASE("critical load and a panic file end the run and leave its tables", "[process][ghost]") {
    scene s(server_kind::mysql_9_7);
    s.sql->exec(std::string("CREATE TABLE t ") + plain_table);
    fill(*s.sql, "t", 100);
    const auto critical =
        run_sluice(s.words("t", {"--alter=ADD COLUMN c INT", "--critical-load=Threads_connected=1", "--execute"}));
    INFO(critical.out << critical.err);
    CHECK(critical.exit_code == 1);
    CHECK(holds(critical.err, "FATAL critical-load met: Threads_connected="));
    CHECK(exists(*s.sql, "my_db", "\\_t\\_gho") == "1");

    const std::string panic_file = s.folder.file("panic");
    const std::string flag = s.folder.file("throttle");
    touch(flag);
    sluice_process process(
        s.words("t", {"--alter=ADD COLUMN c INT", "--throttle-flag-file=" + flag, "--panic-flag-file=" + panic_file,
                      "--initially-drop-ghost-table", "--execute"}));
    wait_for_answer(s.folder.file("sock"), "sup", "throttled, flag-file");
    touch(panic_file);
    const auto end = process.wait();
    CHECK(end.exit_code == 1);
    CHECK(holds(end.err, "FATAL Found panic-file " + panic_file + ". Aborting without cleanup"));
    CHECK(exists(*s.sql, "my_db", "\\_t\\_gh_") == "2");
    CHECK(s.one("SELECT COUNT(*) FROM t") == "128");
    CHECK_FALSE(std::filesystem::exists(s.folder.file("sock")));

    const auto again = run_sluice(
        s.words("t", {"--alter=ADD COLUMN c INT", "--initially-drop-ghost-table", "--ok-to-drop-table", "--execute"}));
    INFO(again.out << again.err);
    CHECK(again.exit_code == 0);
    CHECK(exists(*s.sql, "my_db", "\\_t\\_%") == "0");
}

// `sluice gh-ost` as gh-ost's users know it, on real servers.

#include "tests/integration/process_ghost_scene.hpp"

#include <sstream>

namespace {

using namespace sluice::test;
using namespace sluice::test::ghost;

}  // namespace

TEST_CASE("gh-ost's first command line runs as it stands", "[process][ghost]") {
    const auto kind = GENERATE(server_kind::mysql_9_7, server_kind::mysql_5_6, server_kind::mariadb_10_11);
    CAPTURE(to_string(kind));
    scene s(kind);
    s.sql->exec(std::string("CREATE TABLE a ") + plain_table);
    fill(*s.sql, "a", 500);
    const std::string sum = s.one("SELECT CONCAT(COUNT(*), ' ', SUM(CRC32(CONCAT(id, v)))) FROM a");
    const auto end = run_sluice({"gh-ost",
                                 "-execute",
                                 "-allow-on-master",
                                 "-assume-rbr",
                                 "-ok-to-drop-table",
                                 "-default-retries",
                                 "120",
                                 "-cut-over-lock-timeout-seconds",
                                 "10",
                                 "-host",
                                 s.server.host(),
                                 "-port",
                                 std::to_string(s.server.port()),
                                 "-user",
                                 "ghoster",
                                 "-password",
                                 "W-secret",
                                 "-database",
                                 "my_db",
                                 "-table",
                                 "a",
                                 "-alter",
                                 "engine=innodb",
                                 "--chunk-size=10"});
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
    sluice_process process({"gh-ost",
                            "--max-load=Threads_running=25",
                            "--critical-load=Threads_running=1000",
                            "--chunk-size=1000",
                            "--throttle-control-replicas=127.0.0.1:" + std::to_string(server.port()),
                            "--max-lag-millis=1500",
                            "--user=ghoster",
                            "--password=W-secret",
                            "--host=" + server.host(),
                            "--port=" + std::to_string(server.port()),
                            "--database=icps2",
                            "--allow-on-master",
                            "--table=cps_transactions_copy2",
                            "--verbose",
                            "--alter=drop index index_transsource",
                            "--switch-to-rbr",
                            "--allow-master-master",
                            "--cut-over=default",
                            "--exact-rowcount",
                            "--concurrent-rowcount",
                            "--heartbeat-interval-millis=2000",
                            "--default-retries=120",
                            "--panic-flag-file=" + folder.file("F1"),
                            "--timestamp-old-table",
                            "--postpone-cut-over-flag-file=" + flag,
                            "--initially-drop-ghost-table",
                            "--execute"});
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
    CHECK(run_sluice({"gh-ost", "--version"}).out.starts_with("Sluice "));
}

TEST_CASE("interactive commands are obeyed and answered", "[process][ghost]") {
    scene s(server_kind::mysql_9_7);
    s.sql->exec(std::string("CREATE TABLE t ") + plain_table);
    fill(*s.sql, "t", 1000);
    const std::string flag = s.folder.file("postpone");
    sluice_process process(s.words("t", {"--alter=ADD COLUMN c INT", "--postpone-cut-over-flag-file=" + flag,
                                         "--force-named-panic", "--ok-to-drop-table", "--execute"}));
    const std::string socket = s.folder.file("sock");
    const auto ask = [&](const std::string& line) { return tell(socket, line); };
    wait_for_answer(socket, "sup", "State: postponing cut-over");
    CHECK(holds(ask("help"), "available commands:\n"));
    const std::string status = ask("status");
    CHECK(holds(status, "# Migrating `my_db`.`t`; Ghost table is `my_db`.`_t_gho`\n"));
    CHECK(holds(status, "# postpone-cut-over-flag-file: " + flag + " [set]\n"));
    CHECK(holds(status, "# Serving on unix socket: " + socket + "\n"));
    CHECK(holds(status, "streamer: binlog.0000"));
    CHECK(ask("coordinates").starts_with("binlog.0000"));
    CHECK(ask("coordinates=x") == "coordinates are read-only\n");
    CHECK(ask("applier").starts_with("Host: 127.0.0.1:" + std::to_string(s.server.port()) + ", Version: 9.7"));
    CHECK(ask("inspector").starts_with("Host: 127.0.0.1:"));
    CHECK(ask("chunk-size=?") == "1000\n");
    CHECK(holds(ask("chunk-size=250"), "# chunk-size: 250;"));
    CHECK(ask("chunk-size=?") == "250\n");
    CHECK(ask("chunk-size=x") == "strconv.Atoi: parsing \"x\": invalid syntax\n");
    CHECK(holds(ask("dml-batch-size=20"), "; dml-batch-size: 20;"));
    CHECK(holds(ask("max-lag-millis=2000"), "; max-lag-millis: 2000ms;"));
    CHECK(holds(ask("nice-ratio=0.5"), "; nice-ratio: 0.500000\n"));
    CHECK(ask("nice-ratio=?") == "0.5\n");
    CHECK(holds(ask("max-load=Threads_running=50,Threads_connected=1000"), "max-load: Threads_connected=1000,Thr"));
    CHECK(ask("max-load=?") == "Threads_connected=1000,Threads_running=50\n");
    CHECK(ask("max-load=x") == "Error parsing load condition: x\n");
    CHECK(holds(ask("critical-load=Threads_running=1000"), "critical-load: Threads_running=1000;"));
    CHECK(holds(ask("throttle-query=SELECT 0"), "# throttle-query: SELECT 0\n"));
    CHECK(ask("throttle-query=?") == "SELECT 0\n");
    CHECK(ask("throttle-control-replicas=?") == "\n");
    CHECK(ask("replication-lag-query=x").starts_with("replication-lag-query is deprecated"));
    CHECK(ask("nonsense") == "unknown command: nonsense\n");
    CHECK(ask("unpostpone=other") ==
          "user commanded 'unpostpone' on other, but migrated table is t; ignoring request\n");
    CHECK(ask("panic") == "user commanded 'panic' without specifying table name, but --force-named-panic is set\n");
    CHECK(holds(ask("throttle"), "# Note: you may only throttle for as long as your binary logs are not purged\n"));
    wait_for_answer(socket, "sup", "State: ");
    CHECK(holds(ask("no-throttle"), "State: "));
    wait_for_answer(socket, "sup", "State: postponing cut-over");
    CHECK(ask("unpostpone").starts_with("Unpostponed\n"));
    const auto end = process.wait();
    INFO(end.out << end.err);
    CHECK(end.exit_code == 0);
    CHECK(s.one("SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_NAME = 't' AND COLUMN_NAME = 'c'") == "1");
}

TEST_CASE("each throttle holds the copy back and shows its reason", "[process][ghost]") {
    scene s(server_kind::mysql_9_7);
    s.sql->exec(std::string("CREATE TABLE t ") + plain_table);
    fill(*s.sql, "t", 1000);
    s.sql->exec("CREATE TABLE control (v INT)");
    s.sql->exec("INSERT INTO control VALUES (1)");
    const std::string flag = s.folder.file("throttle");
    touch(flag);
    sluice_process process(s.words("t", {"--alter=ADD COLUMN c INT", "--throttle-flag-file=" + flag, "--execute"}));
    const std::string socket = s.folder.file("sock");
    const auto wait_for = [&](const std::string& state) { return wait_for_answer(socket, "sup", "State: " + state); };
    CHECK(holds(wait_for("throttled, flag-file"), "Copy: 0/"));
    // The next reason is there before the last one goes, so that nothing slips through between.
    tell(socket, "max-load=Threads_connected=1");
    std::filesystem::remove(flag);
    CHECK(holds(wait_for("throttled, max-load Threads_connected="), " >= 1; ETA: N/A"));
    tell(socket, "throttle-query=SELECT MAX(v) FROM my_db.control");
    tell(socket, "max-load=");
    wait_for("throttled, throttle-query;");
    tell(socket, "throttle-http=http://127.0.0.1:1/");
    s.sql->exec("UPDATE control SET v = 0");
    wait_for("throttled, http=-1 (");
    tell(socket, "throttle-control-replicas=127.0.0.1:1");
    tell(socket, "throttle-http=");
    wait_for("throttled, 127.0.0.1:1 ");
    tell(socket, "throttle");
    tell(socket, "throttle-control-replicas=");
    CHECK(holds(wait_for("throttled, commanded by user"), "Copy: 0/"));
    tell(socket, "no-throttle");
    const auto end = process.wait();
    INFO(end.out << end.err);
    CHECK(end.exit_code == 0);
    CHECK(holds(end.out, "Copy: 1024/1024 100.0%"));
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

TEST_CASE("hooks are called in order, with their variables, and may refuse", "[process][ghost]") {
    scene s(server_kind::mysql_9_7);
    s.sql->exec(std::string("CREATE TABLE t ") + plain_table);
    fill(*s.sql, "t", 100);
    const auto make_hook = [&](const std::string& name, const std::string& body) {
        const std::string file = s.folder.file(name);
        std::ofstream(file) << "#!/bin/sh\n" << body << "\n";
        std::filesystem::permissions(file, std::filesystem::perms::owner_all);
    };
    const std::string log = s.folder.file("log");
    for (const char* name : {"startup", "validated", "rowcount-complete", "before-row-copy", "row-copy-complete",
                             "before-cut-over", "begin-postponed", "success", "failure", "interactive-command"}) {
        make_hook(
            std::string("gh-ost-on-") + name + "--log",
            "echo \"" + std::string(name) +
                " $GH_OST_DATABASE_NAME $GH_OST_TABLE_NAME $GH_OST_GHOST_TABLE_NAME $GH_OST_OLD_TABLE_NAME "
                "$GH_OST_HOOKS_HINT $GH_OST_DRY_RUN $GH_OST_COPIED_ROWS $GH_OST_COMMAND$GH_OST_INSTANT_DDL\" >> " +
                log);
    }
    make_hook("gh-ost-on-status--log", "echo \"status $GH_OST_STATUS\" >> " + log);
    const std::string flag = s.folder.file("postpone");
    sluice_process process(
        s.words("t", {"--alter=ADD COLUMN c INT", "--hooks-path=" + s.folder.path.string(), "--hooks-hint=hello",
                      "--hooks-status-interval=1", "--exact-rowcount", "--concurrent-rowcount=false",
                      "--postpone-cut-over-flag-file=" + flag, "--execute"}));
    wait_for_answer(s.folder.file("sock"), "sup", "State: postponing cut-over");
    const auto read_log = [&] {
        std::ifstream in(log);
        std::stringstream text;
        text << in.rdbuf();
        return text.str();
    };
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!holds(read_log(), "begin-postponed ") || !holds(read_log(), "\nstatus 'Copy: ")) {
        REQUIRE(std::chrono::steady_clock::now() < until);
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    std::filesystem::remove(flag);
    const auto end = process.wait();
    const std::string text = read_log();
    INFO(text << end.out << end.err);
    CHECK(end.exit_code == 0);
    std::size_t at = 0;
    for (const char* name : {"startup", "validated", "before-row-copy", "row-copy-complete", "before-cut-over",
                             "begin-postponed", "success"}) {
        CAPTURE(name);
        const auto found = text.find(std::string(name) + " my_db t _t_gho _t_del hello false ", at);
        REQUIRE(found != std::string::npos);
        at = found;
    }
    CHECK(holds(text, "rowcount-complete my_db"));
    CHECK(holds(text, "before-row-copy my_db t _t_gho _t_del hello false 0 "));
    CHECK(holds(text, "row-copy-complete my_db t _t_gho _t_del hello false 128 "));
    CHECK(holds(text, "interactive-command my_db t _t_gho _t_del hello false 128 'sup'"));
    CHECK(holds(text, "success my_db t _t_gho _t_del hello false 128 false"));
    CHECK_FALSE(holds(text, "failure "));

    make_hook("gh-ost-on-before-cut-over--refuse", "exit 3");
    s.sql->exec("DROP TABLE _t_del");
    const auto refused =
        run_sluice(s.words("t", {"--alter=ADD COLUMN d INT", "--hooks-path=" + s.folder.path.string(), "--execute"}));
    INFO(refused.out << refused.err);
    CHECK(refused.exit_code == 1);
    CHECK(holds(refused.err, "gh-ost-on-before-cut-over--refuse: exit status 3"));
    CHECK(holds(read_log(), "failure my_db"));
    CHECK(s.one("SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_NAME = 't' AND COLUMN_NAME = 'd'") == "0");
}

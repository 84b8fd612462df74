// A whole Sluice as an operator has it: served, commanded, asked by SQL, reloaded, stopped.

#include "tests/integration/process_served.hpp"
#include "tests/support/catch.hpp"

#include <csignal>

namespace {

using namespace sluice::test;

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a migration from the command line, seen from all sides", "[process]") {
    const auto server = mysql_server::start();
    fill(server, "t", 5000);
    served sluice(server);

    CHECK(sluice.run({"list"}).out == "no migrations\n");
    const auto done = sluice.run(
        {"migrate", "--schema", "test", "--table", "t", "--alter", "ADD COLUMN note INT NOT NULL DEFAULT 7", "--wait"});
    INFO(done.out << done.err);
    REQUIRE(done.exit_code == 0);
    CHECK(holds(done.out, "completed: test.t, 5000 rows copied"));
    const std::string id = done.out.substr(10, 16);
    sql_connection direct = connect(server, "test");
    CHECK(direct.scalar("SELECT SUM(note) FROM t") == "35000");

    const auto list = sluice.run({"list"});
    CHECK(holds(list.out, id));
    CHECK(holds(list.out, "completed"));
    CHECK(holds(sluice.run({"show", id.substr(0, 4)}).out, "ADD COLUMN note"));
    CHECK(sluice.run({"watch", id}).exit_code == 0);

    sql_connection client = sluice.client();
    const auto shown = client.query("SHOW MIGRATIONS");
    REQUIRE(shown.size() == 1);
    CHECK(shown[0][0] == id);
    CHECK(client.query("SHOW MIGRATIONS LIKE 'test.x%'").empty());
    CHECK(client.query("SHOW MIGRATIONS WHERE state = 'completed'").size() == 1);
    CHECK(client.query("SHOW MIGRATION '" + id + "'").size() > 20);
    CHECK(client.error_of("SHOW MIGRATION 'nothing'") == 1105);
    CHECK(client.query("SHOW PROXY STATUS").size() > 10);
    CHECK(client.query("SHOW PROXY SESSIONS").size() == 1);
}

TEST_CASE("a migration that cannot succeed ends the wait with 4 and says why", "[process]") {
    const auto server = mysql_server::start();
    fill(server, "t", 10);
    served sluice(server);
    struct row {
        const char* table;
        const char* alter;
        const char* why;
    };
    for (const row& r :
         {row{"t", "ADD COLUMN", "bad_alter"}, row{"t", "ADD COLUMN x NOTATYPE", "error in your SQL syntax"},
          row{"nowhere", "ADD COLUMN x INT", "nowhere"}}) {
        CAPTURE(r.alter);
        const auto end = sluice.run({"migrate", "--schema", "test", "--table", r.table, "--alter", r.alter, "--wait"});
        INFO(end.out << end.err);
        CHECK(end.exit_code == 4);
        CHECK(holds(end.out, "failed: test."));
        CHECK(holds(end.out, r.why));
    }
    sql_connection direct = connect(server, "test");
    CHECK(direct.scalar("SELECT COUNT(*) FROM t") == "10");
    CHECK(direct.scalar("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = 'test'") == "1");
}

TEST_CASE("an operator postpones, pauses, cuts over and aborts", "[process]") {
    const auto server = mysql_server::start();
    fill(server, "a", 2000);
    fill(server, "b", 2000);
    served sluice(server);
    const std::string a =
        sluice.begin({"--schema", "test", "--table", "a", "--alter", "ADD x INT", "--postpone-cutover"});
    const std::string b =
        sluice.begin({"--schema", "test", "--table", "b", "--alter", "ADD x INT", "--postpone-cutover"});
    sluice.wait_for(a, "ready");
    sluice.wait_for(b, "ready");

    const auto twice = sluice.run({"migrate", "--schema", "test", "--table", "a", "--alter", "ADD y INT"});
    CHECK(twice.exit_code == 1);
    CHECK(holds(twice.err, "test"));
    CHECK(sluice.run({"pause", a}).exit_code == 0);
    CHECK(sluice.show(a).at("paused") == true);
    CHECK(sluice.run({"resume", a}).exit_code == 0);
    CHECK(sluice.show(a).at("paused") == false);
    CHECK(sluice.run({"cut-over", a}).exit_code == 0);
    CHECK(sluice.run({"watch", a}).exit_code == 0);
    CHECK(sluice.run({"abort", b}).exit_code == 0);
    CHECK(sluice.run({"watch", b}).exit_code == 4);
    const auto late = sluice.run({"pause", a});
    CHECK(late.exit_code == 1);
    CHECK_FALSE(late.err.empty());
    CHECK(sluice.run({"abort", "ffff0000"}).exit_code == 1);

    sql_connection direct = connect(server, "test");
    CHECK(direct.error_of("SELECT x FROM a LIMIT 1") == 0);
    CHECK(direct.error_of("SELECT x FROM b LIMIT 1") == 1054);
}

TEST_CASE("only the right token opens the admin port", "[process]") {
    const auto server = mysql_server::start();
    served sluice(server);
    const auto url = "SLUICE_URL=" + sluice.url();
    const std::string wrong = sluice.folder().write("wrong.token", "another-token-altogether\n");
    const auto refused = run_sluice({"list", "--token-file", wrong}, {url});
    CHECK(refused.exit_code == 1);
    CHECK(holds(refused.err, "the token is not the one"));
    const auto none = run_sluice({"list"}, {url});
    CHECK(none.exit_code == 1);
    CHECK(holds(none.err, "--token-file"));
    CHECK(run_sluice({"list"}, {url, "SLUICE_TOKEN_FILE=" + sluice.token_file()}).exit_code == 0);
}

TEST_CASE("SIGHUP takes over what it can and names the rest", "[process]") {
    const auto server = mysql_server::start();
    served sluice(server);
    sluice.folder().write("admin.token", "the-token-after-the-reload\n");
    sluice.folder().write_config(server.port(), sluice_password, "127.0.0.1:1");
    sluice.process().signal(SIGHUP);
    const std::string log = sluice.process().wait_for_message("reload: done");
    CHECK(holds(log, "reload: proxy.listen is different now; that needs a restart"));
    CHECK(sluice.run({"list"}).exit_code == 0);  // with the new token
    sluice.folder().write("sluice.toml", "nonsense");
    sluice.process().signal(SIGHUP);
    CHECK(holds(sluice.process().wait_for_message("reload: nothing was changed"), "not TOML"));
    CHECK(sluice.run({"list"}).exit_code == 0);
}

TEST_CASE("SIGTERM lets a transaction finish, and a second one does not", "[process]") {
    const auto server = mysql_server::start();
    fill(server, "t", 10);
    served sluice(server);
    sql_connection client = sluice.client();
    client.exec("START TRANSACTION");
    client.exec("UPDATE t SET v = 'changed' WHERE id = 1");
    sluice.process().signal(SIGTERM);
    sluice.process().wait_for_message("stopping");
    SECTION("orderly") {
        client.exec("UPDATE t SET v = 'changed' WHERE id = 2");
        client.exec("COMMIT");
        CHECK(sluice.process().wait().exit_code == 0);
        CHECK(connect(server, "test").scalar("SELECT COUNT(*) FROM t WHERE v = 'changed'") == "2");
    }
    SECTION("at once") {
        CHECK(sluice.process().running());
        sluice.process().signal(SIGTERM);
        const auto end = sluice.process().wait();
        CHECK(end.exit_code == 1);
        CHECK(holds(end.err, "second signal"));
    }
}

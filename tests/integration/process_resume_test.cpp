// A served Sluice that is killed in the middle of a copy goes on from its checkpoint when it starts again.

#include "migration/checkpoint/former_workers.hpp"
#include "tests/integration/process_resume_scene.hpp"
#include "tests/support/catch.hpp"

#include <filesystem>
#include <fstream>
#include <memory>
#include <thread>

namespace {

using namespace sluice::test;
using namespace sluice::test::resuming;

}  // namespace

TEST_CASE("a served Sluice that is killed again and again goes on from its checkpoints", "[process][resume]") {
    const auto kind = GENERATE(server_kind::mysql_9_7, server_kind::mysql_5_6, server_kind::mariadb_10_11);
    CAPTURE(static_cast<int>(kind));
    const auto server = start_server(kind);
    sql_connection sql = connect(server, "test");
    make_table(sql);
    row_writer writes(server, "test");
    const std::string id =
        begin_and_kill(server, sql, slow_migration("t", {"--postpone-cutover"}, {.copy_workers = 3}));
    std::string last = last_checkpoint(sql);
    for (int kills = 0; kills < 3; ++kills) {
        let_write(writes);
        served next(server);
        next.process().wait_for_message("goes on from its checkpoint");
        last = wait_for_checkpoint(sql, last);
        kill(next);
    }
    served end(server);
    end.process().wait_for_message("goes on from its checkpoint");
    end.wait_for(id, "ready");
    writes.stop();
    cut_over(end, id);
    check_same(sql, "t", "_t_del");
    CHECK(sql.scalar("SELECT COUNT(*) FROM t WHERE x <> 3") == "0");
    CHECK(sql.scalar("SELECT COUNT(*) FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = 'test' AND "
                     "TABLE_NAME = 't' AND INDEX_NAME = 'by_n'") == "1");
}

TEST_CASE("what it cannot go on from makes a served Sluice begin again, with the reason in its log",
          "[process][resume]") {
    const auto server = mysql_server::start();
    sql_connection sql = connect(server, "test");
    make_table(sql);
    const std::string id = begin_and_kill(server, sql, slow_migration("t", {}, {.copy_workers = 1, .verify = true}));
    sql.exec("ALTER TABLE t COMMENT 'another'");
    served second(server);
    second.process().wait_for_message("cannot go on from its checkpoint (original_changed)");
    const auto end = second.run({"watch", id});
    INFO(end.out << end.err);
    CHECK(end.exit_code == 0);
    CHECK(sql.scalar("SELECT SUM(x) / 3 = COUNT(*) FROM t") == "1");
}

TEST_CASE("a chunk that a killed Sluice has left on the server, and rows copied behind it, bring nothing back",
          "[process][resume]") {
    const auto server = mysql_server::start();
    sql_connection sql = connect(server, "test");
    make_table(sql);
    std::string id;
    sql_connection blocker = connect(server, "test");
    std::string blocked;
    {
        served first(server);
        id = first.begin(slow_migration("t", {"--postpone-cutover"}));
        wait_for_checkpoint(sql);
        // Of a chunk to come, in chunks of ten rows: the third one.
        const unsigned long chunk = std::stoul(sql.scalar("SELECT COUNT(*) FROM _t_gho")) / 10 + 20;
        blocked = sql.scalar("SELECT id FROM t ORDER BY id LIMIT 1 OFFSET " + std::to_string(chunk * 10 + 2));
        blocker.exec("START TRANSACTION");
        blocker.exec("INSERT INTO _t_gho (id) VALUES (" + blocked + ")");
        const std::string copied = "SELECT COUNT(*) FROM _t_gho WHERE id > " + blocked;
        wait_until("chunks behind one that hangs", [&] { return std::stoul(sql.scalar(copied)) >= 200; });
        wait_for_checkpoint(sql, last_checkpoint(sql));  // with them
        REQUIRE(first.run({"pause", id}).exit_code == 0);
        // It gives its attempt up after five seconds and begins another one, which is left to the server.
        wait_for_value(sql,
                       "SELECT COUNT(*) > 0 FROM information_schema.PROCESSLIST WHERE USER = 'sluice' AND TIME < 1 "
                       "AND INFO LIKE 'INSERT%\\_t\\_gho%'");
        kill(first);
    }
    // Of the chunk that hangs, and of those behind it.
    sql.exec("DELETE FROM t WHERE id > " + blocked + " ORDER BY id LIMIT 5");
    sql.exec("DELETE FROM t WHERE id > " + blocked + " + 30 ORDER BY id LIMIT 20");
    sql.exec("UPDATE t SET n = 77 WHERE id > " + blocked + " + 60 ORDER BY id LIMIT 20");
    served second(server);
    second.process().wait_for_message("goes on from its checkpoint");
    const auto number = [&](const char* name) { return second.show(id).at(name).to_number<std::uint64_t>(); };
    wait_until("the changes", [&] { return number("deltas_seen") >= 45 && number("backlog_keys") == 0; });
    blocker.exec("ROLLBACK");
    REQUIRE(second.run({"resume", id}).exit_code == 0);
    hurry(second, id);
    second.wait_for(id, "ready");
    cut_over(second, id);
    check_same(sql, "t", "_t_del");
}

TEST_CASE("a statement that a killed Sluice has left on the server is waited for, and another Sluice is not",
          "[process][resume]") {
    const auto server = mysql_server::start();
    sql_connection sql = connect(server, "test");
    make_table(sql);
    const std::string id = begin_and_kill(server, sql, slow_migration("t", {}));
    sql_connection left = connect(server, "test");
    REQUIRE(left.scalar("SELECT GET_LOCK('" + sluice::migration::lock_of_table({"test", "t"}) + "', 10)") == "1");
    const std::string connection = left.scalar("SELECT CONNECTION_ID()");
    SECTION("at work") {
        std::thread busy([&] { (void)left.error_of("SELECT SLEEP(20)"); });
        const std::unique_ptr<std::thread, void (*)(std::thread*)> joined(&busy,
                                                                          [](std::thread* each) { each->join(); });
        served second(server);
        second.process().wait_for_message("on which a statement of another process still runs: SELECT SLEEP(20)");
        sql.exec("KILL " + connection);
        second.process().wait_for_message("goes on from its checkpoint");
        hurry(second, id);
        CHECK(second.run({"watch", id}).exit_code == 0);
        CHECK(sql.scalar("SELECT SUM(x) / 3 = COUNT(*) FROM t") == "1");
    }
    SECTION("idle") {
        served second(server);
        second.process().wait_for_message("is being worked on by another process");
        second.wait_for(id, "failed");
        // That is this process's view. What is stored stays the other one's.
        CHECK(sql.scalar("SELECT state FROM _sluice.migrations WHERE id = '" + id + "'") == "copying");
    }
}

TEST_CASE("an old table that is kept in sync is held back behind a restart as before it", "[process][resume]") {
    const auto server = mysql_server::start();
    sql_connection sql = connect(server, "test");
    make_table(sql);
    std::string id;
    config_folder flags;
    const std::string flag = (flags.path() / "throttle").string();
    {
        served first(server);
        id = first.begin({"--schema", "test", "--table", "t", "--alter", "ADD x INT NOT NULL DEFAULT 3",
                          "--keep-old-table-in-sync", "--throttle-flag-file", flag});
        first.wait_for(id, "in_sync");
        kill(first);
    }
    served second(server);
    second.wait_for(id, "in_sync");
    const auto wait_for_reason = [&](const std::string& reason) {
        wait_until("the reason '" + reason + "'",
                   [&] { return second.show(id).at("throttled_by").as_string() == reason; });
    };
    std::ofstream(flag).put('\n');
    wait_for_reason("flag-file");
    sql.exec("UPDATE t SET n = 7 WHERE id <= 100");
    wait_until("the changes", [&] { return second.show(id).at("backlog_keys").to_number<int>() != 0; });
    CHECK(sql.scalar("SELECT COUNT(*) FROM _t_del WHERE n = 7") == "0");
    std::filesystem::remove(flag);
    wait_for_reason("");
    const std::string changed = sql.scalar("SELECT COUNT(*) FROM t WHERE n = 7");
    wait_for_value(sql, "SELECT COUNT(*) FROM _t_del WHERE n = 7", changed);
    CHECK(second.run({"finish", id}).exit_code == 0);
    CHECK(second.run({"watch", id}).exit_code == 0);
}

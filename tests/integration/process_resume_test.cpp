// A served Sluice that is killed in the middle of a copy goes on from its checkpoint when it starts again.

#include "tests/integration/process_row_writer.hpp"
#include "tests/integration/process_served.hpp"
#include "tests/support/catch.hpp"

#include <atomic>
#include <chrono>
#include <csignal>
#include <functional>
#include <thread>

namespace {

using namespace sluice::test;

void wait_until(const std::function<bool()>& holds) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(90);
    while (!holds()) {
        REQUIRE(std::chrono::steady_clock::now() < until);
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
}

void make_table(sql_connection& sql) {
    sql.exec("CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, n INT NOT NULL DEFAULT 0, KEY by_n (n))");
    sql.exec("INSERT INTO t (n) VALUES (1)");
    for (int have = 1; have < 16'384; have *= 2) sql.exec("INSERT INTO t (n) SELECT n FROM t");
}

std::string last_checkpoint(sql_connection& sql) {
    return sql.scalar(
        "SELECT COALESCE(MAX(SUBSTRING(report, LOCATE('\"checkpoint\"', report), 600)), '') FROM _sluice.migrations "
        "WHERE report LIKE '%\"checkpoint\"%'");
}

}  // namespace

TEST_CASE("a served Sluice that is killed again and again goes on from its checkpoints", "[process][resume]") {
    const auto kind = GENERATE(server_kind::mysql_9_7, server_kind::mysql_5_6, server_kind::mariadb_10_11);
    CAPTURE(static_cast<int>(kind));
    const auto server = start_server(kind);
    sql_connection sql = connect(server, "test");
    make_table(sql);
    row_writer writes(server, "test");
    std::string id;
    std::string last;
    {
        served first(server);
        // What is wrong must be seen by the test, not be mended before.
        id = first.begin({"--schema", "test", "--table", "t", "--alter", "ADD x INT NOT NULL DEFAULT 3",
                          "--chunk-rows-fixed", "10", "--copy-workers", "3", "--nice-percent", "500", "--no-verify",
                          "--postpone-cutover", "--checkpoint-interval-s", "1"});
        wait_until([&] { return !(last = last_checkpoint(sql)).empty(); });
        CHECK(first.show(id).at("state").as_string() == "copying");
        first.process().signal(SIGKILL);
        CHECK(first.process().wait().exit_code == 128 + SIGKILL);
    }
    for (int kill = 0; kill < 3; ++kill) {
        const unsigned rounds = writes.rounds();
        wait_until([&] { return writes.rounds() > rounds + 20; });  // what only the log tells of
        served next(server);
        next.process().wait_for_message("goes on from its checkpoint");
        std::string now;
        wait_until([&] { return (now = last_checkpoint(sql)) != last && !now.empty(); });
        last = now;
        next.process().signal(SIGKILL);
        CHECK(next.process().wait().exit_code == 128 + SIGKILL);
    }
    served end(server);
    end.process().wait_for_message("goes on from its checkpoint");
    end.wait_for(id, "ready");
    writes.stop();
    CHECK(end.run({"cut-over", id}).exit_code == 0);
    const auto watched = end.run({"watch", id});
    INFO(watched.out << watched.err);
    CHECK(watched.exit_code == 0);
    const std::string sums = "SELECT CONCAT(COUNT(*), '/', SUM(CRC32(CONCAT_WS(',', id, n)))) FROM ";
    CHECK(sql.scalar(sums + "t") == sql.scalar(sums + "_t_del"));
    CHECK(sql.scalar("SELECT COUNT(*) FROM t WHERE x <> 3") == "0");
    CHECK(sql.scalar("SELECT COUNT(*) FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = 'test' AND "
                     "TABLE_NAME = 't' AND INDEX_NAME = 'by_n'") == "1");
}

TEST_CASE("what it cannot go on from makes a served Sluice begin again, with the reason in its log",
          "[process][resume]") {
    const auto server = mysql_server::start();
    sql_connection sql = connect(server, "test");
    make_table(sql);
    std::string id;
    {
        served first(server);
        id = first.begin({"--schema", "test", "--table", "t", "--alter", "ADD x INT NOT NULL DEFAULT 3",
                          "--chunk-rows-fixed", "10", "--copy-workers", "1", "--nice-percent", "500",
                          "--checkpoint-interval-s", "1"});
        wait_until([&] { return !last_checkpoint(sql).empty(); });
        first.process().signal(SIGKILL);
        first.process().wait();
    }
    sql.exec("ALTER TABLE t COMMENT 'another'");
    served second(server);
    second.process().wait_for_message("cannot go on from its checkpoint (original_changed)");
    const auto end = second.run({"watch", id});
    INFO(end.out << end.err);
    CHECK(end.exit_code == 0);
    CHECK(sql.scalar("SELECT SUM(x) / 3 = COUNT(*) FROM t") == "1");
}

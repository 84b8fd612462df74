// The fixtures themselves: servers start, answer, die and come back; the load's books are right, and wrong books show.

#include "bench/load/bookkeeping_load.hpp"
#include "bench/throwaway/child_process.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/mysql_server.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/row_compare.hpp"

#include <csignal>
#include <filesystem>
#include <iostream>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

namespace sluice::test {
namespace {

using namespace std::chrono_literals;

load::endpoint as_app(const mysql_server& server) {
    return {.host = server.host(), .port = server.port(), .user = app_user, .password = app_password, .schema = "test"};
}

mysql_server start(server_kind kind) {
    server_options options;
    options.kind = kind;
    return mysql_server::start(options);
}

bool process_exists(int process) { return ::kill(process, 0) == 0; }

struct expected_server {
    server_kind kind;
    const char* version_prefix;
    const char* gtid_query;  ///< gives "ON" when the server writes GTIDs
};

const expected_server every_kind[] = {
    {server_kind::mysql_9_7, "9.", "SELECT IF(@@gtid_mode = 'ON', 'ON', 'OFF')"},
    {server_kind::mysql_5_6, "5.6.", "SELECT IF(@@gtid_mode = 'ON', 'ON', 'OFF')"},
    {server_kind::mariadb_10_11, "10.11.", "SELECT IF(@@gtid_binlog_pos = '', 'ON', 'ON')"},
};

TEST_CASE("every kind of server starts, answers and leaves nothing behind") {
    for (const auto& expected : every_kind) {
        INFO(throwaway::to_string(expected.kind));
        std::filesystem::path folder;
        int process = 0;
        {
            auto server = start(expected.kind);
            std::cout << throwaway::to_string(expected.kind) << " started in " << server.last_start_took().count()
                      << " ms\n";
            folder = server.folder();
            process = server.process_id();
            auto root = connect(server);
            CHECK(root.scalar("SELECT VERSION()").starts_with(expected.version_prefix));
            CHECK(root.scalar("SELECT @@port") == std::to_string(server.port()));
            CHECK(root.scalar("SELECT @@log_bin") == "1");
            CHECK(root.scalar("SELECT @@binlog_format") == "ROW");
            CHECK(root.scalar(expected.gtid_query) == "ON");
            CHECK(root.scalar("SELECT COUNT(*) FROM mysql.user WHERE user IN ('app', 'sluice')") == "2");

            sql_connection app(server.port(), app_user, app_password, "test");
            CHECK(app.scalar("SELECT CURRENT_USER()") == "app@%");
            app.exec("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(10))");
            CHECK(app.exec("INSERT INTO t VALUES (1, 'a'), (2, NULL)") == 2);
            CHECK(app.query("SELECT * FROM t ORDER BY id") == rows{{"1", "a"}, {"2", std::nullopt}});
            CHECK(app.error_of("INSERT INTO t VALUES (1, 'b')") == 1062);

            sql_connection engine(server.port(), sluice_user, sluice_password);
            CHECK(engine.query("SHOW GRANTS").size() == 1);
            try {
                sql_connection nobody(server.port(), app_user, "wrong");
                FAIL("a wrong password was accepted");
            } catch (const sql_error& failure) {
                CHECK(failure.number() == 1045);
            }
            CHECK(std::filesystem::exists(folder));
        }
        CHECK_FALSE(std::filesystem::exists(folder));
        CHECK_FALSE(process_exists(process));
    }
}

TEST_CASE("servers run side by side and are told apart") {
    server_options options;
    options.server_id = 11;
    options.gtid = false;
    options.row_image = "MINIMAL";
    options.extra_arguments = {"--max-connections=17"};
    auto first = mysql_server::start(options);
    auto second = start(server_kind::mysql_9_7);
    REQUIRE(first.port() != second.port());
    auto to_first = connect(first);
    auto to_second = connect(second);
    CHECK(to_first.scalar("SELECT @@server_id") == "11");
    CHECK(to_first.scalar("SELECT @@gtid_mode") == "OFF");
    CHECK(to_first.scalar("SELECT @@binlog_row_image") == "MINIMAL");
    CHECK(to_first.scalar("SELECT @@max_connections") == "17");
    CHECK(to_second.scalar("SELECT @@gtid_mode") == "ON");
    CHECK(to_first.scalar("SELECT @@server_uuid") != to_second.scalar("SELECT @@server_uuid"));
}

TEST_CASE("a server that was stopped or killed comes back with its data") {
    for (const auto kind : {server_kind::mysql_9_7, server_kind::mysql_5_6, server_kind::mariadb_10_11}) {
        INFO(throwaway::to_string(kind));
        auto server = start(kind);
        const auto port = server.port();
        {
            auto root = connect(server, "test");
            root.exec("CREATE TABLE kept (id INT PRIMARY KEY) ENGINE=InnoDB");
            root.exec("INSERT INTO kept VALUES (1)");
        }
        server.stop();
        CHECK_FALSE(server.running());
        CHECK_THROWS_AS(connect(server), sql_error);
        server.restart();
        CHECK(server.port() == port);
        {
            auto root = connect(server, "test");
            root.exec("INSERT INTO kept VALUES (2)");
        }
        server.kill();
        CHECK_FALSE(server.running());
        server.restart({"--max-connections=18"});
        auto root = connect(server, "test");
        CHECK(root.scalar("SELECT GROUP_CONCAT(id ORDER BY id) FROM kept") == "1,2");
        CHECK(root.scalar("SELECT @@max_connections") == "18");
    }
}

TEST_CASE("a server that cannot start says why") {
    server_options options;
    options.extra_arguments = {"--no-such-option=1"};
    try {
        auto server = mysql_server::start(options);
        FAIL("it started");
    } catch (const server_error& failure) {
        CHECK_THAT(failure.what(), Catch::Matchers::Contains("no-such-option"));
    }
}

TEST_CASE("a process that dies leaves neither a server nor its folder") {
    std::string name = (std::filesystem::temp_directory_path() / "sluice-guarded-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    const pid_t dying = fork();
    REQUIRE(dying >= 0);
    if (dying == 0) {
        throwaway::guard guard{std::filesystem::path(name)};
        throwaway::launch sleeper;
        sleeper.command = {"sleep", "1000"};
        const pid_t guarded = throwaway::spawn(sleeper);
        guard.watch(guarded);
        (void)!write(ends[1], &guarded, sizeof guarded);
        ::kill(getpid(), SIGKILL);
    }
    pid_t guarded = 0;
    REQUIRE(read(ends[0], &guarded, sizeof guarded) == sizeof guarded);
    ::close(ends[0]);
    ::close(ends[1]);
    CHECK(waitpid(dying, nullptr, 0) == dying);
    // The guard kills first and removes the folder last.
    const auto limit = std::chrono::steady_clock::now() + 20s;
    while (std::filesystem::exists(name) && std::chrono::steady_clock::now() < limit) std::this_thread::sleep_for(10ms);
    CHECK_FALSE(std::filesystem::exists(name));
    // Gone, or dead and only waiting for whoever adopts orphans here to notice.
    CHECK_FALSE(std::filesystem::exists("/proc/" + std::to_string(guarded) + "/exe"));
}

TEST_CASE("the raw client logs in everywhere and reads what it is told") {
    for (const auto kind : {server_kind::mysql_9_7, server_kind::mysql_5_6, server_kind::mariadb_10_11}) {
        INFO(throwaway::to_string(kind));
        auto server = start(kind);
        for (const bool deprecate_eof : {true, false}) {
            protocol::client_login login;
            login.user = app_user;
            login.password = app_password;
            login.database = "test";
            login.capabilities |= protocol::capability::multi_statements;
            if (!deprecate_eof) login.capabilities &= ~protocol::capability::deprecate_eof;
            raw_client client(server.port());
            client.login(login);
            const auto answer = client.query("SELECT 1 AS a, NULL AS b, REPEAT('x', 300) AS c UNION SELECT 2, 'y', ''");
            REQUIRE(answer.is_ok);
            CHECK(answer.columns == std::vector<std::string>{"a", "b", "c"});
            CHECK(answer.rows == rows{{"1", std::nullopt, std::string(300, 'x')}, {"2", "y", ""}});
            const auto wrong = client.query("SELECT FROM");
            CHECK_FALSE(wrong.is_ok);
            CHECK(wrong.error.code == 1064);

            client.send_command(protocol::command::query, "SELECT 1; SELECT 2");
            client.send_command(protocol::command::ping);
            const auto pipelined = client.receive_results();
            REQUIRE(pipelined.size() == 2);
            CHECK(pipelined[1].rows == rows{{"2"}});
            CHECK(client.receive_result().is_ok);
            CHECK(client.silent_for(20ms));
            client.send_command(protocol::command::quit);
            CHECK(client.closed_by_peer());
        }
        raw_client refused(server.port());
        protocol::client_login stranger;
        stranger.user = app_user;
        stranger.password = "wrong";
        const auto failure = refused.try_login(stranger);
        REQUIRE(failure.has_value());
        CHECK(failure->from_server);
        CHECK(failure->error.code == 1045);
    }
}

TEST_CASE("the raw client controls every byte") {
    auto server = start(server_kind::mysql_9_7);
    raw_client client(server.port());
    client.login("root", "");
    for (const char byte : std::string("\x09\0\0\0\x03SELECT 7", 13)) client.send_bytes(std::string_view(&byte, 1));
    CHECK(client.receive_result().rows == rows{{"7"}});
    // A result of more than one frame.
    CHECK(client.query("SET GLOBAL max_allowed_packet = 64 * 1024 * 1024").is_ok);
    raw_client large(server.port(), 60s);
    large.login("root", "");
    const auto answer = large.query("SELECT REPEAT('z', 17 * 1024 * 1024)");
    REQUIRE(answer.rows.size() == 1);
    CHECK(answer.rows[0][0]->size() == 17 * 1024 * 1024);
    client.reset();
    CHECK(connect(server).scalar("SELECT 1") == "1");
}

TEST_CASE("a difference between two tables is found and named") {
    auto server = start(server_kind::mysql_9_7);
    auto root = connect(server, "test");
    root.exec("CREATE TABLE a (id BIGINT UNSIGNED, part INT, v VARBINARY(9), PRIMARY KEY (id, part))");
    root.exec("INSERT INTO a VALUES (1,1,NULL), (1,2,''), (2,1,'x'), (3,1,'y ')");
    root.exec("CREATE TABLE b LIKE a");
    root.exec("INSERT INTO b SELECT * FROM a");
    const comparison_options options{.columns = {}, .renamed = {}, .key = {"id", "part"}};
    const auto compared = [&] { return compare_rows({root, "a"}, {root, "b"}, options); };
    CHECK(compared().equal());
    CHECK(compared().rows_left == 4);

    struct falsification {
        const char* statement;
        const char* undo;
        const char* says;
    };
    const falsification cases[] = {
        {"UPDATE b SET v = '' WHERE id = 1 AND part = 1", "UPDATE b SET v = NULL WHERE id = 1 AND part = 1", "column v"},
        {"UPDATE b SET v = 'y' WHERE id = 3", "UPDATE b SET v = 'y ' WHERE id = 3", "0x7920"},
        {"DELETE FROM b WHERE id = 2", "INSERT INTO b VALUES (2,1,'x')", "only left"},
        {"INSERT INTO b VALUES (4,1,'')", "DELETE FROM b WHERE id = 4", "only right"},
    };
    for (const auto& c : cases) {
        INFO(c.statement);
        root.exec(c.statement);
        CHECK_FALSE(compared().equal());
        CHECK_THAT(compared().text(), Catch::Matchers::Contains(c.says));
        root.exec(c.undo);
        CHECK(compared().equal());
    }
}

TEST_CASE("the load's books agree with the table, on every kind of server") {
    for (const auto kind : {server_kind::mysql_9_7, server_kind::mysql_5_6, server_kind::mariadb_10_11}) {
        INFO(throwaway::to_string(kind));
        auto server = start(kind);
        load::create_and_fill(as_app(server), "orders", 3'000);
        load::load_options options;
        options.target = as_app(server);
        options.filled_rows = 3'000;
        options.connections = 4;
        options.prepared_connections = 2;
        load::bookkeeping_load traffic(options);
        traffic.start("before");
        REQUIRE(traffic.wait_for_statements(1'500, 60s));
        traffic.phase("after");
        REQUIRE(traffic.wait_for_statements(1'500, 60s));
        traffic.stop();

        const auto report = traffic.report();
        for (const auto& message : report.first_errors) UNSCOPED_INFO(message);
        CHECK(report.errors == 0);
        CHECK(report.wrong_answers == 0);
        CHECK(report.reads > 0);
        CHECK(report.inserts > 0);
        CHECK(report.updates > 0);
        CHECK(report.deletes > 0);
        CHECK(report.committed > 0);
        CHECK(report.rolled_back > 0);
        REQUIRE(report.phases.size() == 2);
        for (const auto& phase : report.phases) {
            CHECK(phase.statements >= 1'400);
            CHECK(phase.p50_ms > 0);
            CHECK(phase.p50_ms <= phase.p99_ms);
            CHECK(phase.p99_ms <= phase.max_ms);
        }
        const auto outcome = load::verify(traffic.the_books(), as_app(server), "orders");
        for (const auto& difference : outcome.first_differences) UNSCOPED_INFO(difference);
        CHECK(outcome.equal());
        CHECK(outcome.rows_found == outcome.rows_expected);
        CHECK(outcome.rows_found ==
              std::stoull(connect(server, "test").scalar("SELECT COUNT(*) FROM orders")));
    }
}

TEST_CASE("the load bears a table that changes its shape, at a given pace") {
    auto server = start(server_kind::mysql_9_7);
    load::create_and_fill(as_app(server), "orders", 1'000);
    load::load_options options;
    options.target = as_app(server);
    options.filled_rows = 1'000;
    options.connections = 3;
    options.prepared_connections = 1;
    options.statements_per_second = 600;
    load::bookkeeping_load traffic(options);
    const auto begin = std::chrono::steady_clock::now();
    traffic.start();
    REQUIRE(traffic.wait_for_statements(200, 60s));
    auto root = connect(server, "test");
    root.exec("ALTER TABLE orders ADD COLUMN channel VARCHAR(20) NOT NULL DEFAULT 'web' FIRST, "
              "MODIFY note VARCHAR(400) NOT NULL, MODIFY amount DECIMAL(14,4) NOT NULL, ALGORITHM=COPY");
    REQUIRE(traffic.wait_for_statements(300, 60s));
    traffic.stop();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    CHECK(static_cast<double>(traffic.statements_so_far()) / took.count() < 700);
    CHECK(traffic.errors_so_far() == 0);
    CHECK(load::verify(traffic.the_books(), as_app(server), "orders").equal());
}

TEST_CASE("false books are found out") {
    auto server = start(server_kind::mysql_9_7);
    load::create_and_fill(as_app(server), "orders", 500);
    const auto where = as_app(server);
    using load::books;
    CHECK(load::verify(books(500), where, "orders").equal());

    struct falsification {
        const char* name;
        std::uint64_t id;
        load::maybe_row row;
    };
    auto other_amount = load::filled_row(7);
    other_amount.amount_cents += 1;
    auto other_moment = load::filled_row(500);
    other_moment.updated_at_us += 1;
    const falsification cases[] = {
        {"an amount", 7, other_amount},
        {"a microsecond, in the last row", 500, other_moment},
        {"the first row deleted", 1, std::nullopt},
        {"the last row deleted", 500, std::nullopt},
        {"a row too many", 900, load::filled_row(900)},
    };
    for (const auto& c : cases) {
        INFO(c.name);
        books expected(500);
        expected.set(c.id, c.row);
        const auto outcome = load::verify(expected, where, "orders");
        CHECK(outcome.differences == 1);
        REQUIRE(outcome.first_differences.size() == 1);
        CHECK_THAT(outcome.first_differences[0], Catch::Matchers::StartsWith("id " + std::to_string(c.id) + ":"));
    }
    CHECK(load::verify(books(499), where, "orders").differences == 1);
    CHECK(load::verify(books(501), where, "orders").differences == 1);

    SECTION("a table's own changes") {
        auto root = connect(server, "test");
        root.exec("DELETE FROM orders WHERE id IN (250, 500)");
        root.exec("UPDATE orders SET note = CONCAT(note, ' ') WHERE id = 3");
        CHECK(load::verify(books(500), where, "orders").differences == 3);
    }
    SECTION("a transaction in doubt may have happened or not, but not by halves") {
        auto root = connect(server, "test");
        books expected(500);
        expected.add({.before = {{2, load::filled_row(2)}, {600, std::nullopt}},
                      .after = {{2, std::nullopt}, {600, load::filled_row(600)}}});
        CHECK(load::verify(expected, where, "orders").equal());
        root.exec("DELETE FROM orders WHERE id = 2");
        CHECK(load::verify(expected, where, "orders").differences == 1);
        const auto row = load::texts(load::filled_row(600));
        root.exec("INSERT INTO orders VALUES (600, " + row[0] + ", '" + row[1] + "', " + row[2] + ", '" + row[3] +
                  "', '" + row[4] + "')");
        CHECK(load::verify(expected, where, "orders").equal());
    }
}

TEST_CASE("a server killed under load: errors are counted, and the books allow for what is unknown") {
    auto server = start(server_kind::mysql_9_7);
    load::create_and_fill(as_app(server), "orders", 2'000);
    load::load_options options;
    options.target = as_app(server);
    options.filled_rows = 2'000;
    load::bookkeeping_load traffic(options);
    traffic.start();
    REQUIRE(traffic.wait_for_statements(1'000, 60s));
    server.kill();
    server.restart();
    REQUIRE(traffic.wait_for_statements(1'000, 60s));
    traffic.stop();
    const auto report = traffic.report();
    CHECK(report.errors > 0);
    CHECK(report.reconnects > 0);
    CHECK(report.wrong_answers == 0);
    REQUIRE_FALSE(report.first_errors.empty());
    const auto outcome = load::verify(traffic.the_books(), as_app(server), "orders");
    for (const auto& difference : outcome.first_differences) UNSCOPED_INFO(difference);
    CHECK(outcome.equal());
}

TEST_CASE("percentiles are by nearest rank") {
    std::vector<std::uint32_t> latencies_us;
    for (std::uint32_t i = 100; i >= 1; --i) latencies_us.push_back(i * 1'000);
    const auto stats = load::summarise("all", latencies_us, 2.5);
    CHECK(stats.statements == 100);
    CHECK(stats.p50_ms == 50.0);
    CHECK(stats.p99_ms == 99.0);
    CHECK(stats.max_ms == 100.0);
    std::vector<std::uint32_t> none;
    CHECK(load::summarise("none", none, 1).statements == 0);
}

}  // namespace
}  // namespace sluice::test

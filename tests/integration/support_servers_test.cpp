// The fixtures themselves: servers start, answer, die and come back; the raw client and the comparison of tables.

#include "bench/throwaway/child_process.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"
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
            auto server = start_server(expected.kind);
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
    auto second = start_server(server_kind::mysql_9_7);
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
        auto server = start_server(kind);
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
    CHECK(eventually([&] { return !std::filesystem::exists(name); }));
    // Gone, or dead and only waiting for whoever adopts orphans here to notice.
    CHECK_FALSE(std::filesystem::exists("/proc/" + std::to_string(guarded) + "/exe"));
}

TEST_CASE("the raw client logs in everywhere and reads what it is told") {
    for (const auto kind : {server_kind::mysql_9_7, server_kind::mysql_5_6, server_kind::mariadb_10_11}) {
        INFO(throwaway::to_string(kind));
        auto server = start_server(kind);
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
    auto server = start_server(server_kind::mysql_9_7);
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
    auto server = start_server(server_kind::mysql_9_7);
    auto root = connect(server, "test");
    root.exec("CREATE TABLE a (id BIGINT UNSIGNED, part INT, v VARBINARY(9), PRIMARY KEY (id, part))");
    root.exec("INSERT INTO a VALUES (1,1,NULL), (1,2,''), (2,1,'x'), (3,1,'y ')");
    root.exec("CREATE TABLE b LIKE a");
    root.exec("INSERT INTO b SELECT * FROM a");
    const comparison_options options{.columns = {}, .renamed = {}, .key = {"id", "part"}, .expressions = {}};
    const auto compared = [&] { return compare_rows({root, "a"}, {root, "b"}, options); };
    CHECK(compared().equal());
    CHECK(compared().rows_left == 4);

    struct falsification {
        const char* statement;
        const char* undo;
        const char* says;
    };
    const falsification cases[] = {
        {"UPDATE b SET v = '' WHERE id = 1 AND part = 1", "UPDATE b SET v = NULL WHERE id = 1 AND part = 1",
         "column v"},
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

}  // namespace
}  // namespace sluice::test

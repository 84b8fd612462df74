// The engine's SQL connections against real servers: login, session settings, results, errors, lost connections.

#include "tests/support/catch.hpp"

#include "migration/mysql/mysql_executor.hpp"
#include "tests/integration/mysql_address.hpp"
#include "tests/support/eventually.hpp"

#include <atomic>
#include <chrono>
#include <thread>

using namespace sluice::migration;
using sluice::test::address_of;
using sluice::test::mysql_server;
using sluice::test::server_kind;
using sluice::test::start_server;
namespace test = sluice::test;

namespace {

std::string one_cell(sql_session& session, std::string_view sql) {
    const auto answer = session.run(sql);
    if (answer.has_error()) return "error " + answer.error().message;
    REQUIRE(answer->rows.size() == 1);
    return answer->rows[0][0].value_or("NULL");
}

std::string variable(sql_session& session, const std::string& name) {
    const auto answer = session.run("SHOW SESSION VARIABLES LIKE '" + name + "'");
    REQUIRE(answer.has_value());
    return answer->rows.empty() ? "(none)" : answer->rows[0][1].value_or("NULL");
}

std::unique_ptr<sql_session> connected(const mysql_server& server, mysql_executor_options options = {}) {
    mysql_executor executor(address_of(server), options);
    auto session = executor.connect();
    INFO((session.has_error() ? session.error().code + ": " + session.error().message : std::string()));
    REQUIRE(session.has_value());
    return std::move(session).value();
}

}  // namespace

TEST_CASE("a session has the settings that the engine relies on, whatever the server's defaults are") {
    const auto kind = GENERATE(server_kind::mysql_9_7, server_kind::mysql_5_6, server_kind::mariadb_10_11);
    CAPTURE(sluice::throwaway::to_string(kind));
    std::vector<std::string> arguments{"--transaction-isolation=SERIALIZABLE",
                                       "--default-time-zone=+05:30",
                                       "--sql-mode=ANSI_QUOTES",
                                       "--completion-type=RELEASE",
                                       "--autocommit=0",
                                       "--wait-timeout=77",
                                       "--character-set-server=latin1"};
    // The server then ignores the character set that the client asks for at login; 9.x has no such option any more.
    if (kind != server_kind::mysql_9_7) arguments.push_back("--skip-character-set-client-handshake");
    const auto server = start_server(kind, arguments);
    const auto session =
        connected(server, {.lock_wait_limit = std::chrono::seconds(7), .row_lock_wait_limit = std::chrono::seconds(3)});
    CHECK(one_cell(*session, "SELECT @@session.time_zone") == "+00:00");
    CHECK(one_cell(*session, "SELECT @@session.autocommit") == "1");
    CHECK(one_cell(*session, "SELECT @@session.sql_mode") ==
          "NO_AUTO_VALUE_ON_ZERO,STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION");
    const auto isolation = variable(*session, "transaction_isolation");
    CHECK((isolation == "(none)" ? variable(*session, "tx_isolation") : isolation) == "READ-COMMITTED");
    CHECK(variable(*session, "lock_wait_timeout") == "7");
    CHECK(variable(*session, "innodb_lock_wait_timeout") == "3");
    CHECK(variable(*session, "wait_timeout") == "28800");
    CHECK(variable(*session, "completion_type") == "NO_CHAIN");
    CHECK(variable(*session, "character_set_client") == "utf8mb4");
    CHECK(variable(*session, "character_set_results") == "utf8mb4");
    CHECK(variable(*session, "foreign_key_checks") == "ON");
    if (kind == server_kind::mysql_9_7) {
        CHECK(variable(*session, "explain_format") == "TRADITIONAL");
        CHECK(variable(*session, "information_schema_stats_expiry") == "0");
    }
}

TEST_CASE("results come back whole: columns, NULL, bytes, counts, several results of a CALL") {
    const auto server = start_server(server_kind::mysql_9_7);
    auto root = test::connect(server, "test");
    root.exec("CREATE PROCEDURE test.several() BEGIN SELECT 1; SELECT 2; END");
    root.exec("GRANT EXECUTE ON test.* TO sluice");
    const auto session = connected(server);

    const auto row = session->run("SELECT NULL AS n, '' AS e, 0x610062 AS z, '🐬' AS d");
    REQUIRE(row.has_value());
    CHECK(row->columns == std::vector<std::string>{"n", "e", "z", "d"});
    REQUIRE(row->rows.size() == 1);
    CHECK(row->rows[0] == std::vector<cell>{cell(), cell(""), cell(std::string("a\0b", 3)), cell("🐬")});

    REQUIRE(session->run("CREATE TABLE test.t (id INT PRIMARY KEY, v INT)").has_value());
    const auto inserted = session->run("INSERT INTO test.t VALUES (1, 1), (2, 2), (3, 3)");
    REQUIRE(inserted.has_value());
    CHECK(inserted->affected_rows == 3);
    CHECK(inserted->columns.empty());

    CHECK(one_cell(*session, "CALL test.several()") == "1");
    CHECK(one_cell(*session, "SELECT 3") == "3");
    CHECK(one_cell(*session, "SELECT CONNECTION_ID()") == std::to_string(session->connection_id()));

    // A warning (here: division by zero in a SELECT) is no error.
    CHECK(session->run("SELECT 1/0").has_value());
}

TEST_CASE("caching_sha2_password logs in with a cold cache over a plain connection, and with a warm one") {
    const auto server = start_server(server_kind::mysql_9_7);
    auto root = test::connect(server);
    root.exec("FLUSH PRIVILEGES");
    for (int i = 0; i < 2; ++i) {
        CAPTURE(i);
        const auto session = connected(server);
        CHECK(one_cell(*session, "SELECT SUBSTRING_INDEX(CURRENT_USER(), '@', 1)") == "sluice");
        CHECK(root.scalar("SELECT VARIABLE_VALUE FROM performance_schema.status_by_thread s JOIN "
                          "performance_schema.threads t USING (THREAD_ID) WHERE VARIABLE_NAME = 'Ssl_cipher' AND "
                          "PROCESSLIST_ID = " +
                          std::to_string(session->connection_id()))
                  .empty());
    }
}

TEST_CASE("the server's Unix socket works as well") {
    const auto kind = GENERATE(server_kind::mysql_9_7, server_kind::mysql_5_6, server_kind::mariadb_10_11);
    CAPTURE(sluice::throwaway::to_string(kind));
    const auto server = start_server(kind);
    auto address = address_of(server);
    address.unix_socket = server.socket_file().string();
    address.port = 1;
    mysql_executor executor(address);
    auto session = executor.connect();
    REQUIRE(session.has_value());
    CHECK(one_cell(**session, "SELECT 1") == "1");
}

TEST_CASE("a refused login says so, and is not to be tried again; an unreachable server is") {
    const auto kind = GENERATE(server_kind::mysql_9_7, server_kind::mysql_5_6, server_kind::mariadb_10_11);
    CAPTURE(sluice::throwaway::to_string(kind));
    auto server = start_server(kind);
    auto address = address_of(server);
    address.password = "wrong";
    const auto refused = mysql_executor(address).connect();
    REQUIRE(refused.has_error());
    CHECK(refused.error().code == "access_denied");
    CHECK(refused.error().server_errno == 1045);
    CHECK(refused.error().sqlstate == "28000");
    CHECK(refused.error().then == disposition::abort);
    CHECK(refused.error().message.find("127.0.0.1:" + std::to_string(server.port())) != std::string::npos);

    server.stop();
    const auto unreachable = mysql_executor(address_of(server)).connect();
    REQUIRE(unreachable.has_error());
    CHECK(unreachable.error().code == "cannot_connect");
    CHECK(unreachable.error().then == disposition::retry);
}

TEST_CASE("a server that accepts and says nothing is given up at the connect limit") {
    auto server = start_server(server_kind::mysql_9_7);
    server.suspend();
    const auto begun = std::chrono::steady_clock::now();
    const auto silent = mysql_executor(address_of(server), {.connect_limit = std::chrono::seconds(1)}).connect();
    server.resume();
    REQUIRE(silent.has_error());
    CHECK(silent.error().code == "cannot_connect");
    CHECK(silent.error().then == disposition::retry);
    CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds(8));
}

TEST_CASE("the server's errors become codes that the engine can act on") {
    const auto kind = GENERATE(server_kind::mysql_9_7, server_kind::mysql_5_6, server_kind::mariadb_10_11);
    CAPTURE(sluice::throwaway::to_string(kind));
    const auto server = start_server(kind);
    const auto session = connected(server);
    REQUIRE(session
                ->run("CREATE TABLE test.t (id INT PRIMARY KEY, s VARCHAR(3), n TINYINT NOT NULL, d DATE, "
                      "r INT NOT NULL) ENGINE=InnoDB")
                .has_value());
    REQUIRE(session->run("INSERT INTO test.t VALUES (1, 'a', 1, NULL, 1)").has_value());
    struct expectation {
        const char* sql;
        const char* code;
        unsigned number;
    };
    const auto expected = std::vector<expectation>{
        {"INSERT INTO test.t VALUES (1, 'a', 1, NULL, 1)", "duplicate_entry", 1062},
        {"INSERT INTO test.t VALUES (2, 'abcd', 1, NULL, 1)", "data_truncated", 1406},
        {"INSERT INTO test.t VALUES (2, 'abc', 1000, NULL, 1)", "out_of_range", 1264},
        {"INSERT INTO test.t VALUES (2, 'abc', NULL, NULL, 1)", "null_not_allowed", 1048},
        {"INSERT INTO test.t VALUES (2, 'abc', 'x', NULL, 1)", "invalid_value", 1366},
        {"INSERT INTO test.t VALUES (2, 'abc', 1, '2020-13-01', 1)", "invalid_value", 1292},
        {"INSERT INTO test.t (id, n) VALUES (2, 1)", "no_default_value", 1364},
        {"SELECT * FROM test.missing", "no_such_table", 1146},
        {"SELECT", "server_error", 1064},
        {"SHUTDOWN", "access_denied", 1227},
    };
    for (const auto& one : expected) {
        if (kind == server_kind::mysql_5_6 && std::string_view(one.sql) == "SHUTDOWN") continue;
        CAPTURE(one.sql);
        const auto answer = session->run(one.sql);
        REQUIRE(answer.has_error());
        CHECK(answer.error().code == one.code);
        CHECK(answer.error().server_errno == one.number);
        CHECK(answer.error().sqlstate.size() == 5);
        CHECK(answer.error().attempted == one.sql);
        CHECK(answer.error().then == disposition::abort);
        CHECK_FALSE(answer.error().message.empty());
    }
}

TEST_CASE("lock waits and deadlocks are to be tried again") {
    const auto kind = GENERATE(server_kind::mysql_9_7, server_kind::mysql_5_6, server_kind::mariadb_10_11);
    CAPTURE(sluice::throwaway::to_string(kind));
    const auto server = start_server(kind);
    const mysql_executor_options options{.lock_wait_limit = std::chrono::seconds(1),
                                         .row_lock_wait_limit = std::chrono::seconds(1)};
    const auto first = connected(server, options);
    const auto second = connected(server, options);
    REQUIRE(first->run("CREATE TABLE test.t (id INT PRIMARY KEY, v INT) ENGINE=InnoDB").has_value());
    REQUIRE(first->run("INSERT INTO test.t VALUES (1, 0), (2, 0), (3, 0)").has_value());

    REQUIRE(first->run("BEGIN").has_value());
    REQUIRE(first->run("UPDATE test.t SET v = 1 WHERE id = 1").has_value());
    const auto row_wait = second->run("UPDATE test.t SET v = 2 WHERE id = 1");
    REQUIRE(row_wait.has_error());
    CHECK(row_wait.error().code == "lock_wait_timeout");
    CHECK(row_wait.error().then == disposition::retry);
    const auto table_wait = second->run("ALTER TABLE test.t COMMENT = 'x'");
    REQUIRE(table_wait.has_error());
    CHECK(table_wait.error().code == "lock_wait_timeout");
    REQUIRE(first->run("ROLLBACK").has_value());

    // A deadlock is found at once, long before the lock waits of 30 s end: one of the two is told.
    for (auto* session : {first.get(), second.get()}) {
        REQUIRE(session->run("SET SESSION innodb_lock_wait_timeout = 30").has_value());
        REQUIRE(session->run("BEGIN").has_value());
    }
    REQUIRE(first->run("UPDATE test.t SET v = 1 WHERE id IN (1, 3)").has_value());
    REQUIRE(second->run("UPDATE test.t SET v = 1 WHERE id = 2").has_value());
    std::optional<outcome<query_result>> waited;
    std::thread waiter([&] { waited = first->run("UPDATE test.t SET v = 1 WHERE id = 2"); });
    const auto closed = second->run("UPDATE test.t SET v = 1 WHERE id = 1");
    REQUIRE(second->run("ROLLBACK").has_value());
    waiter.join();
    REQUIRE((closed.has_error() != waited->has_error()));
    const auto& deadlock = closed.has_error() ? closed.error() : waited->error();
    CHECK(deadlock.code == "deadlock");
    CHECK(deadlock.then == disposition::retry);
}

TEST_CASE("a killed statement leaves the session usable") {
    const auto server = start_server(server_kind::mysql_9_7);
    const auto victim = connected(server);
    const auto killer = connected(server);
    std::optional<outcome<query_result>> answer;
    REQUIRE(victim->run("CREATE TABLE test.t (id INT)").has_value());
    REQUIRE(killer->run("LOCK TABLES test.t WRITE").has_value());
    std::thread runner([&] { answer = victim->run("INSERT INTO test.t VALUES (1)"); });
    auto root = test::connect(server);
    const auto id = std::to_string(victim->connection_id());
    CHECK(test::eventually([&] {
        return root.scalar("SELECT COUNT(*) FROM information_schema.processlist WHERE STATE LIKE 'Waiting%' AND ID = " +
                           id) != "0";
    }));
    REQUIRE(killer->run("KILL QUERY " + id).has_value());
    runner.join();
    REQUIRE(answer->has_error());
    CHECK(answer->error().code == "interrupted");
    CHECK(answer->error().then == disposition::retry);
    CHECK(one_cell(*victim, "SELECT 1") == "1");
}

TEST_CASE("a lost connection leaves the outcome unknown, and the session dead for good") {
    const auto kind = GENERATE(server_kind::mysql_9_7, server_kind::mysql_5_6, server_kind::mariadb_10_11);
    CAPTURE(sluice::throwaway::to_string(kind));
    auto server = start_server(kind);
    const auto killed = connected(server);
    const auto cut = connected(server);
    auto root = test::connect(server);

    root.exec("KILL " + std::to_string(killed->connection_id()));
    for (int i = 0; i < 2; ++i) {
        const auto answer = killed->run("SELECT 1");
        REQUIRE(answer.has_error());
        CHECK(answer.error().code == "connection_lost");
        CHECK(answer.error().then == disposition::outcome_unknown);
    }

    std::optional<outcome<query_result>> answer;
    std::thread runner([&] { answer = cut->run("SELECT SLEEP(60)"); });
    CHECK(test::eventually([&] {
        return root.scalar(
                   "SELECT COUNT(*) FROM information_schema.processlist WHERE INFO LIKE '%SLEEP(60)' AND ID = " +
                   std::to_string(cut->connection_id())) != "0";
    }));
    server.kill();
    runner.join();
    REQUIRE(answer->has_error());
    CHECK(answer->error().code == "connection_lost");
    CHECK(answer->error().then == disposition::outcome_unknown);
    server.restart();
    // It does not connect again behind the caller's back, which would have lost locks and transactions.
    REQUIRE(cut->run("SELECT 1").has_error());
}

TEST_CASE("many threads may connect at once and hand their sessions on") {
    const auto server = start_server(server_kind::mysql_9_7);
    mysql_executor executor(address_of(server));
    constexpr int threads_count = 8;
    std::vector<std::unique_ptr<sql_session>> sessions(threads_count);
    std::vector<std::thread> threads;
    std::atomic<int> failures = 0;
    for (int i = 0; i < threads_count; ++i) {
        threads.emplace_back([&, i] {
            auto session = executor.connect();
            if (session.has_error() || (*session)->run("SELECT 1").has_error()) {
                ++failures;
                return;
            }
            sessions[static_cast<std::size_t>(i)] = std::move(session).value();
        });
    }
    for (auto& thread : threads) thread.join();
    CHECK(failures == 0);
    for (auto& session : sessions) {
        REQUIRE(session != nullptr);
        CHECK(one_cell(*session, "SELECT 2") == "2");
    }
}

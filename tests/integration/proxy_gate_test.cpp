// The gate in front of a table, with real sessions on a real server.

#include "tests/integration/proxy_fixture.hpp"

namespace sluice::test {
namespace {

using protocol::command;
using proxy::gated_table;
using std::chrono::steady_clock;

steady_clock::time_point in(std::chrono::milliseconds time) { return steady_clock::now() + time; }

struct gated {
    explicit gated(proxy::proxy_options options = {}) : proxied(server_kind::mysql_9_7, std::move(options)) {
        make_table(server_kind::mysql_9_7, "gated", 3);
        make_table(server_kind::mysql_9_7, "free", 3);
        gate = proxied.proxy->gates().watch({"test", "gated"});
        REQUIRE(gate != nullptr);
    }
    [[nodiscard]] std::uint64_t held_now() const { return proxied.proxy->statistics().statements_held_now; }
    [[nodiscard]] bool eventually_held(std::uint64_t count) const {
        return eventually([&] { return held_now() == count; });
    }

    proxy_under_test proxied;
    std::unique_ptr<proxy::table_gate> gate;
};

TEST_CASE("a closed gate holds statements that need the table, and lets them go") {
    gated test;
    auto held = test.proxied.client();
    auto other = test.proxied.client();
    test.gate->close(in(10s));
    held.send_command(command::query, "UPDATE gated SET v = 'after' WHERE id = 1");
    REQUIRE(test.eventually_held(1));
    CHECK(other.query("SELECT COUNT(*) FROM free").is_ok);
    CHECK(other.query("SELECT 1").is_ok);
    auto root = connect(shared_server(server_kind::mysql_9_7), "test");
    CHECK(root.scalar("SELECT v FROM gated WHERE id = 1") == "row 1");
    CHECK(held.silent_for(10ms));
    CHECK(test.proxied.proxy->sessions().size() == 2);

    const auto report = test.gate->open();
    CHECK(held.receive_result().affected_rows == 1);
    CHECK(report.statements_held == 1);
    CHECK_FALSE(report.expired);
    CHECK(report.hold_max >= 10ms);
    CHECK(report.hold_max < 10s);
    CHECK(report.hold_p50 == report.hold_max);
    CHECK(root.scalar("SELECT v FROM gated WHERE id = 1") == "after");
    CHECK(test.gate->open().statements_held == 1);  // harmless
    CHECK(test.proxied.proxy->statistics().statements_held == 1);
}

TEST_CASE("every way to a table is held, and what must not wait is not") {
    gated test;
    auto prepared = test.proxied.client();
    // Prepared before anybody watched: a second gate is watched later.
    prepared.send_command(command::stmt_prepare, "SELECT id FROM free");
    for (int i = 0; i < 2; ++i) (void)prepared.receive_packet();
    auto session = test.proxied.client();
    CHECK(session.query("USE mysql").is_ok);
    auto late = test.proxied.proxy->gates().watch({"test", "free"});
    late->close(in(10s));
    test.gate->close(in(10s));

    prepared.send_command(command::stmt_execute, std::string_view("\x01\0\0\0\0\x01\0\0\0", 9));
    REQUIRE(test.eventually_held(1));
    for (const char* statement :
         {"SELECT 1", "SELECT * FROM gated", "SELECT * FROM user LIMIT 1", "USE mysql", "SHOW TABLES"}) {
        INFO(statement);
        (void)session.query(statement);  // mysql.gated is another table
    }
    std::vector<raw_client> clients;
    std::uint64_t held = 1;
    for (const char* statement :
         {"SELECT * FROM gated", "select * from `GATED`", "INSERT INTO test.gated VALUES (9, 'x')", "DELETE FROM gated",
          "SELECT 1 FROM free JOIN gated USING (id)", "TRUNCATE gated", "ALTER TABLE gated COMMENT 'x'",
          "/*!80000 SELECT * FROM gated */", "EXPLAIN SELECT * FROM gated", "LOCK TABLES gated READ"}) {
        INFO(statement);
        clients.push_back(test.proxied.client());
        clients.back().send_command(command::query, statement);
        ++held;
        REQUIRE(test.eventually_held(held));
    }
    clients.push_back(test.proxied.client());
    clients.back().send_command(command::stmt_prepare, "SELECT * FROM gated");
    CHECK(test.eventually_held(++held));
    for (const char* statement :
         {"COMMIT", "ROLLBACK", "BEGIN", "KILL QUERY 1", "SET @a = 1", "DO 1", "UNLOCK TABLES"}) {
        INFO(statement);
        (void)session.query(statement);
    }
    session.send_command(command::ping);
    CHECK(session.receive_result().is_ok);
    late->open();
    CHECK(prepared.receive_packet().first_byte() != 0xFF);
    test.gate->open();
    CHECK(test.eventually_held(0));
}

TEST_CASE("held statements all go on, in small bursts, each of them once") {
    proxy::proxy_options options;
    options.io_threads = 1;
    options.release_burst = 3;
    gated test(options);
    auto root = connect(shared_server(server_kind::mysql_9_7), "test");
    root.exec("DROP TABLE IF EXISTS arrivals");
    root.exec("CREATE TABLE arrivals (n INT AUTO_INCREMENT PRIMARY KEY, who INT)");
    constexpr int count = 20;
    std::vector<raw_client> clients;
    test.gate->close(in(20s));
    for (int i = 0; i < count; ++i) {
        clients.push_back(test.proxied.client());
        clients.back().send_command(command::query,
                                    "INSERT INTO arrivals (who) SELECT " + std::to_string(i) + " FROM gated LIMIT 1");
        REQUIRE(test.eventually_held(static_cast<std::uint64_t>(i) + 1));
    }
    const auto report = test.gate->open();
    for (auto& client : clients) CHECK(client.receive_result().affected_rows == 1);
    CHECK(report.statements_held == count);
    // Each burst in a turn of the thread of its own, between which it serves whoever else is there.
    CHECK(test.proxied.proxy->statistics().release_turns >= (count + 2) / 3);
    CHECK(report.hold_p50 <= report.hold_p99);
    CHECK(report.hold_p99 <= report.hold_max);
    // In which order the server's threads get to them is the server's affair; that the order is exact inside Sluice is
    // in tests/unit/session/gate_shard_test.cpp. Here: each one arrived, and once.
    const auto arrived = root.query("SELECT COUNT(*), COUNT(DISTINCT who), MIN(who), MAX(who) FROM arrivals");
    CHECK(arrived == rows{{"20", "20", "0", "19"}});
}

TEST_CASE("a gate opens by itself at its deadline") {
    gated test;
    auto client = test.proxied.client();
    test.gate->close(in(150ms));
    client.send_command(command::query, "SELECT COUNT(*) FROM gated");
    REQUIRE(test.eventually_held(1));
    CHECK(client.receive_result().rows == rows{{"3"}});  // nobody opened it
    const auto report = test.gate->open();
    CHECK(report.expired);
    CHECK(report.statements_held == 1);
    CHECK(client.query("SELECT COUNT(*) FROM gated").is_ok);
}

TEST_CASE("a transaction that has touched a table passes; one that has not is held") {
    gated test;
    struct {
        std::vector<const char*> before;
        bool passes;
    } const cases[] = {
        {{}, false},
        {{"BEGIN"}, false},
        {{"START TRANSACTION", "SET @a = 1", "SELECT 1"}, false},
        {{"SET autocommit = 0"}, false},
        {{"BEGIN", "SELECT * FROM free"}, true},
        {{"BEGIN", "UPDATE gated SET v = 'x' WHERE id = 2"}, true},
        {{"SET autocommit = 0", "SELECT * FROM free"}, true},
        {{"BEGIN", "SELECT * FROM free", "COMMIT"}, false},
        {{"BEGIN", "SELECT * FROM free", "COMMIT AND CHAIN"}, false},
        {{"BEGIN", "SELECT * FROM free", "SELECT nonsense"}, true},
        {{"START TRANSACTION WITH CONSISTENT SNAPSHOT"}, true},
        {{"LOCK TABLES gated WRITE"}, true},
        {{"LOCK TABLES gated WRITE", "UNLOCK TABLES"}, false},
        {{"HANDLER free OPEN"}, true},
        {{"HANDLER free OPEN", "HANDLER free CLOSE"}, false},
        {{"XA START 'x'", "SELECT * FROM free"}, true},
        {{"XA START 'x'", "XA END 'x'", "XA ROLLBACK 'x'"}, false},
    };
    for (const auto& c : cases) {
        auto client = test.proxied.client();
        std::string told;
        for (const char* statement : c.before) {
            told += std::string(statement) + "; ";
            (void)client.query(statement);
        }
        INFO(told);
        test.gate->close(in(10s));
        client.send_command(command::query, "SELECT id FROM gated WHERE id = 1");
        if (c.passes) {
            CHECK(client.receive_result().rows == rows{{"1"}});
            CHECK(test.held_now() == 0);
        } else {
            CHECK(test.eventually_held(1));
        }
        test.gate->open();
        if (!c.passes) CHECK(client.receive_result().rows == rows{{"1"}});
    }
}

TEST_CASE("a transaction older than the watch counts as having touched everything") {
    const proxy_under_test proxied;
    make_table(server_kind::mysql_9_7, "gated", 3);
    auto old = proxied.client();
    REQUIRE(old.query("BEGIN").is_ok);
    auto running = proxied.client();
    auto root = connect(shared_server(server_kind::mysql_9_7));
    REQUIRE(root.scalar("SELECT GET_LOCK('until told', 0)") == "1");
    running.send_command(command::query, "SELECT GET_LOCK('until told', 60)");
    REQUIRE(eventually([&] { return proxied.proxy->statistics().statements == 2; }));
    auto gate = proxied.proxy->gates().watch({"test", "gated"});
    CHECK(gate->blockers().size() == 2);
    gate->close(in(10s));
    CHECK_FALSE(gate->wait_drained(in(20ms)));
    CHECK(old.query("SELECT COUNT(*) FROM gated").is_ok);
    root.exec("DO RELEASE_LOCK('until told')");
    CHECK(running.receive_result().rows == rows{{"1"}});
    CHECK(eventually([&] { return gate->blockers().size() == 1; }));
    REQUIRE(old.query("COMMIT").is_ok);
    CHECK(gate->wait_drained(in(10s)));
    CHECK(gate->blockers().empty());
}

TEST_CASE("what is in flight is counted to zero") {
    gated test;
    CHECK(test.gate->wait_drained(in(1s)));
    auto statement = test.proxied.client();
    auto transaction = test.proxied.client();
    REQUIRE(transaction.query("BEGIN").is_ok);
    REQUIRE(transaction.query("SELECT * FROM gated").is_ok);
    auto root = connect(shared_server(server_kind::mysql_9_7));
    REQUIRE(root.scalar("SELECT GET_LOCK('until told', 0)") == "1");
    statement.send_command(command::query, "SELECT GET_LOCK('until told', 60) FROM gated WHERE id = 1 /* secret */");
    REQUIRE(eventually([&] { return test.gate->blockers().size() == 2; }));
    const auto blockers = test.gate->blockers();
    REQUIRE(blockers.size() == 2);
    CHECK(blockers[0].connection_id == transaction.greeting().connection_id);
    CHECK(blockers[0].in_transaction);
    CHECK(blockers[0].statement == "SELECT * FROM gated");
    CHECK(blockers[0].client == "app@127.0.0.1:" + std::to_string(transaction.local_port()));
    CHECK(blockers[0].age >= blockers[1].age);
    CHECK_FALSE(blockers[1].in_transaction);

    test.gate->close(in(10s));
    CHECK_FALSE(test.gate->wait_drained(in(20ms)));
    root.exec("DO RELEASE_LOCK('until told')");
    CHECK(statement.receive_result().rows == rows{{"1"}});
    CHECK_FALSE(test.gate->wait_drained(in(20ms)));
    std::thread later([&] {
        std::this_thread::sleep_for(50ms);
        (void)transaction.query("ROLLBACK");
    });
    CHECK(test.gate->wait_drained(in(10s)));
    later.join();

    // A session that dies is in flight no more.
    test.gate->open();
    auto dying = test.proxied.client();
    REQUIRE(dying.query("BEGIN").is_ok);
    REQUIRE(dying.query("SELECT * FROM gated").is_ok);
    CHECK(test.gate->blockers().size() == 1);
    dying.reset();
    CHECK(test.gate->wait_drained(in(10s)));
}

TEST_CASE("a held client that leaves takes its statement with it") {
    gated test;
    auto root = connect(shared_server(server_kind::mysql_9_7), "test");
    for (const char* way : {"close", "reset", "kill", "more bytes, then close"}) {
        INFO(way);
        auto client = test.proxied.client();
        test.gate->close(in(10s));
        client.send_command(command::query, "UPDATE gated SET v = 'from the grave' WHERE id = 1");
        REQUIRE(test.eventually_held(1));
        if (way == std::string("close")) client.close();
        if (way == std::string("reset")) client.reset();
        if (way == std::string("kill")) root.exec("KILL " + std::to_string(client.greeting().connection_id));
        if (way[0] == 'm') {
            client.send_command(command::query, "SELECT 1");
            client.close();
        }
        CHECK(test.eventually_held(0));
        CHECK(eventually([&] { return test.proxied.proxy->statistics().sessions == 0; }));
        test.gate->open();
        CHECK(root.scalar("SELECT v FROM gated WHERE id = 1") == "row 1");
    }
}

TEST_CASE("a client's later commands wait behind its held one") {
    gated test;
    auto client = test.proxied.client();
    test.gate->close(in(10s));
    client.send_command(command::query, "SELECT COUNT(*) FROM gated");
    client.send_command(command::query, "SELECT 'behind'");
    client.send_command(command::ping);
    REQUIRE(test.eventually_held(1));
    CHECK(client.silent_for(10ms));
    test.gate->open();
    CHECK(client.receive_result().rows == rows{{"3"}});
    CHECK(client.receive_result().rows == rows{{"behind"}});
    CHECK(client.receive_result().is_ok);

    // Pipelined behind others: they are done, it is held.
    test.gate->close(in(10s));
    client.send_command(command::query, "SELECT 'before'");
    client.send_command(command::query, "SELECT COUNT(*) FROM gated");
    CHECK(client.receive_result().rows == rows{{"before"}});
    REQUIRE(test.eventually_held(1));
    test.gate->open();
    CHECK(client.receive_result().rows == rows{{"3"}});
}

TEST_CASE("beyond the limits statements pass a closed gate") {
    proxy::proxy_options options;
    options.io_threads = 1;
    options.held_statements_max = 2;
    gated test(options);
    std::vector<raw_client> clients;
    test.gate->close(in(10s));
    for (std::uint64_t i = 1; i <= 2; ++i) {
        clients.push_back(test.proxied.client());
        clients.back().send_command(command::query, "SELECT COUNT(*) FROM gated");
        REQUIRE(test.eventually_held(i));
    }
    auto third = test.proxied.client();
    CHECK(third.query("SELECT COUNT(*) FROM gated").rows == rows{{"3"}});
    CHECK(test.proxied.proxy->statistics().holds_overflowed == 1);
    test.gate->open();
    for (auto& client : clients) CHECK(client.receive_result().is_ok);
}

TEST_CASE("a large statement is held by its first bytes") {
    gated test;
    auto connection = test.proxied.connection();
    connection.exec("CREATE TABLE IF NOT EXISTS big (v LONGTEXT)");
    test.gate->close(in(10s));
    // To another table: recognised by what stands before the rows.
    CHECK(connection.exec("INSERT INTO big VALUES ('" + std::string(3'000'000, 'x') + "')") == 1);
    std::thread opener([&] {
        CHECK(test.eventually_held(1));
        test.gate->open();
    });
    CHECK(connection.exec("INSERT INTO gated VALUES (50, LEFT('" + std::string(3'000'000, 'x') + "', 3))") == 1);
    opener.join();
    CHECK(connection.scalar("SELECT v FROM gated WHERE id = 50") == "xxx");
}

TEST_CASE("stopping lets held statements finish, and ends idle sessions politely") {
    gated test;
    auto held = test.proxied.client();
    auto idle = test.proxied.client();
    auto in_transaction = test.proxied.client();
    REQUIRE(in_transaction.query("BEGIN").is_ok);
    test.gate->close(in(20s));
    held.send_command(command::query, "UPDATE gated SET v = 'done' WHERE id = 1");
    REQUIRE(test.eventually_held(1));
    std::thread stopper([&] { test.proxied.proxy->stop(10s); });
    CHECK(held.receive_result().affected_rows == 1);
    const auto goodbye = idle.receive_packet();
    CHECK(protocol::parse_err(goodbye.payload)->code == 1053);
    CHECK(idle.closed_by_peer());
    CHECK(in_transaction.query("SELECT 1").is_ok);
    CHECK(in_transaction.query("COMMIT").is_ok);
    CHECK(in_transaction.closed_by_peer());
    held.close();
    stopper.join();
    CHECK(test.proxied.proxy->statistics().sessions == 0);
    CHECK_THROWS_AS(raw_client(test.proxied.port()), raw_error);
    // What is left of the gate does no harm.
    CHECK(test.gate->wait_drained(in(1s)));
    CHECK(test.gate->blockers().empty());
    CHECK(test.proxied.proxy->gates().watch({"a", "b"}) == nullptr);
}

}  // namespace
}  // namespace sluice::test

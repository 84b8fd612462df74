// What a closed gate holds, and who ends a hold before the gate opens, with real sessions on real servers.

#include "tests/integration/proxy_fixture.hpp"

namespace sluice::test {
namespace {

using protocol::command;
using std::chrono::steady_clock;

steady_clock::time_point in(std::chrono::milliseconds time) { return steady_clock::now() + time; }

struct gated {
    explicit gated(server_kind kind = server_kind::mysql_9_7, proxy::proxy_options options = {},
                   proxy::watch_rules rules = {})
        : proxied(kind, std::move(options)) {
        make_table(kind, "gated", 3);
        make_table(kind, "free", 3);
        gate = proxied.proxy->gates().watch({"test", "gated"}, std::move(rules));
        REQUIRE(gate != nullptr);
    }
    [[nodiscard]] bool eventually_held(std::uint64_t count) const {
        return eventually([&] { return proxied.proxy->statistics().statements_held_now == count; });
    }

    proxy_under_test proxied;
    std::unique_ptr<proxy::table_gate> gate;
};

proxy::proxy_options on_four_threads() {
    proxy::proxy_options options;
    options.io_threads = 4;
    return options;
}

std::string id_of(const raw_client& client) { return std::to_string(client.greeting().connection_id); }

TEST_CASE("KILL QUERY reaches a held statement on whichever thread it is, and its session goes on") {
    for (const auto kind : every_server) {
        gated test(kind, on_four_threads());
        auto root = connect(shared_server(kind), "test");
        constexpr int count = 8;  // on every thread some
        std::vector<raw_client> clients;
        test.gate->close(in(30s));
        for (int i = 0; i < count; ++i) {
            clients.push_back(test.proxied.client());
            clients.back().send_command(command::query, "UPDATE gated SET v = 'killed' WHERE id = 1");
        }
        REQUIRE(test.eventually_held(count));
        auto killer = test.proxied.client();
        for (int i = 0; i < count; ++i) {
            auto& client = clients[static_cast<std::size_t>(i)];
            CHECK(killer.query("KILL QUERY " + id_of(client)).is_ok);
            const auto answer = client.receive_packet();
            CHECK(answer.sequence == 1);
            const auto error = protocol::parse_err(answer.payload);
            REQUIRE(error);
            CHECK(error->code == 1317);
            CHECK(error->sqlstate == "70100");
            CHECK(test.eventually_held(static_cast<std::uint64_t>(count - 1 - i)));
            // The server knew of no statement. MySQL 5.6 keeps the kill for the next one, as it does without Sluice.
            if (kind == server_kind::mysql_5_6) (void)client.query("SELECT COUNT(*) FROM free");
            CHECK(client.query("SELECT COUNT(*) FROM free").rows == rows{{"3"}});
            CHECK(client.query("SELECT 1").is_ok);
        }
        CHECK(test.proxied.proxy->statistics().holds_interrupted == count);
        test.gate->open();
        CHECK(root.scalar("SELECT v FROM gated WHERE id = 1") == "row 1");
        CHECK(clients[0].query("UPDATE gated SET v = 'later' WHERE id = 1").affected_rows == 1);
    }
}

TEST_CASE("a KILL that the server refuses, or of somebody else, leaves held statements alone") {
    gated test(server_kind::mysql_9_7, on_four_threads());
    auto root = connect(shared_server(server_kind::mysql_9_7), "test");
    root.exec("CREATE USER IF NOT EXISTS stranger@'%' IDENTIFIED WITH caching_sha2_password BY 'secret'");
    auto client = test.proxied.client();
    auto killer = test.proxied.client();
    raw_client stranger(test.proxied.port());
    stranger.login("stranger", "secret");
    test.gate->close(in(30s));
    client.send_command(command::query, "SELECT COUNT(*) FROM gated");
    REQUIRE(test.eventually_held(1));
    CHECK_FALSE(stranger.query("KILL QUERY " + id_of(client)).is_ok);
    CHECK_FALSE(killer.query("KILL QUERY 999999").is_ok);
    CHECK(client.silent_for(50ms));
    CHECK(test.eventually_held(1));
    test.gate->open();
    CHECK(client.receive_result().rows == rows{{"3"}});
}

TEST_CASE("KILL of a connection ends a held session, and its statement is never sent") {
    for (const auto kind : every_server) {
        for (const char* way : {"KILL ", "KILL CONNECTION ", "COM_PROCESS_KILL"}) {
            INFO(way);
            const bool by_command = way[0] == 'C';
            if (by_command && kind == server_kind::mysql_9_7) continue;  // the server has it no more
            gated test(kind, on_four_threads());
            auto root = connect(shared_server(kind), "test");
            auto client = test.proxied.client();
            auto killer = test.proxied.client();
            test.gate->close(in(30s));
            client.send_command(command::query, "UPDATE gated SET v = 'killed' WHERE id = 1");
            REQUIRE(test.eventually_held(1));
            if (by_command) {
                protocol::byte_buffer body;
                protocol::serialise_process_kill(body, static_cast<std::uint32_t>(client.greeting().connection_id));
                killer.send_packet(body);
                CHECK(killer.receive_result().is_ok);
            } else {
                CHECK(killer.query(way + id_of(client)).is_ok);
            }
            CHECK(test.eventually_held(0));
            CHECK(client.closed_by_peer());
            test.gate->open();
            CHECK(root.scalar("SELECT v FROM gated WHERE id = 1") == "row 1");
        }
    }
}

TEST_CASE("the scope all holds every statement that may be held") {
    gated test(server_kind::mysql_9_7, {}, {.holds_all = true, .ask_transactions = {}});
    auto inside = test.proxied.client();
    REQUIRE(inside.query("BEGIN").is_ok);
    REQUIRE(inside.query("SELECT * FROM free").is_ok);
    auto killer = test.proxied.client();
    test.gate->close(in(30s));
    CHECK(test.gate->wait_drained(in(5s)));  // of what is held, nothing else is waited for
    std::vector<raw_client> clients;
    std::uint64_t held = 0;
    for (const char* statement : {"SELECT 1", "SELECT * FROM free", "BEGIN", "SET @a = 1", "SELECT * FROM gated"}) {
        INFO(statement);
        clients.push_back(test.proxied.client());
        clients.back().send_command(command::query, statement);
        CHECK(test.eventually_held(++held));
    }
    for (const char* statement : {"COMMIT", "ROLLBACK", "KILL QUERY 999999"}) (void)killer.query(statement);
    killer.send_command(command::ping);
    CHECK(killer.receive_result().is_ok);
    CHECK(inside.query("SELECT * FROM free").is_ok);
    CHECK(inside.query("COMMIT").is_ok);
    CHECK(test.gate->open().statements_held == held);
    for (auto& client : clients) CHECK(client.receive_result().is_ok);
}

TEST_CASE("statements that were prepared by SQL are held by their text") {
    gated test;
    auto client = test.proxied.client();
    REQUIRE(client.query("PREPARE mine FROM 'SELECT COUNT(*) FROM gated'").is_ok);
    REQUIRE(client.query("PREPARE other FROM 'SELECT COUNT(*) FROM free'").is_ok);
    REQUIRE(client.query("SET @text = 'SELECT COUNT(*) FROM free'").is_ok);
    REQUIRE(client.query("PREPARE unknown FROM @text").is_ok);
    test.gate->close(in(30s));
    CHECK(client.query("EXECUTE other").rows == rows{{"3"}});
    for (const char* statement : {"EXECUTE mine", "EXECUTE unknown"}) {
        INFO(statement);
        client.send_command(command::query, statement);
        CHECK(test.eventually_held(1));
        test.gate->open();
        CHECK(client.receive_result().rows == rows{{"3"}});
        test.gate->close(in(30s));
    }
    test.gate->open();
}

TEST_CASE("what passes a full gate is told with the attempt") {
    proxy::proxy_options options;
    options.io_threads = 1;
    options.held_bytes_max = 64;
    gated test(server_kind::mysql_9_7, options);
    test.gate->close(in(30s));
    auto client = test.proxied.client();
    CHECK(client.query("SELECT COUNT(*) FROM gated /* " + std::string(100, 'x') + " */").rows == rows{{"3"}});
    auto held = test.proxied.client();
    held.send_command(command::query, "SELECT COUNT(*) FROM gated");
    REQUIRE(test.eventually_held(1));
    const auto report = test.gate->open();
    CHECK(report.overflowed == 1);
    CHECK(report.statements_held == 1);
    CHECK(test.proxied.proxy->statistics().holds_overflowed == 1);
    CHECK(held.receive_result().is_ok);
}

}  // namespace
}  // namespace sluice::test

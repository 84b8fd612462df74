// The orders in which commands may be pipelined, and a server that goes away.

#include "tests/integration/proxy_fixture.hpp"

namespace sluice::test {
namespace {

using protocol::command;
namespace capability = protocol::capability;

std::string bytes(std::initializer_list<int> values) {
    std::string text;
    for (const int value : values) text += static_cast<char>(value);
    return text;
}

TEST_CASE("commands are pipelined behind anything") {
    for (const auto kind : every_server) {
        INFO(throwaway::to_string(kind));
        make_table(kind, "relayed", 3);
        proxy::proxy_options options;
        options.answer_show = [](const sql::show_request&) {
            proxy::show_answer answer;
            answer.columns = {"id"};
            answer.rows = {{"m1"}};
            return answer;
        };
        const proxy_under_test proxied(kind, options);
        auto client = proxied.client(capability::local_files);
        const auto query = [&](const std::string& text) { client.send_command(command::query, text); };

        // Prepares and executions together, with closes between, as Connector/J's useBatchMultiSend sends them.
        client.send_command(command::stmt_prepare, "SELECT 7");
        const auto id = protocol::to_string(protocol::byte_view(client.receive_packet().payload).subspan(1, 4));
        // The definition of the only column, and its EOF where there are such.
        const auto skip_definition = [&] {
            const bool has_eof = !protocol::has(client.capabilities(), capability::deprecate_eof);
            for (int n = 0; n < (has_eof ? 2 : 1); ++n) (void)client.receive_packet();
        };
        skip_definition();
        for (int i = 0; i < 200; ++i) {
            client.send_command(command::stmt_execute, id + bytes({0, 1, 0, 0, 0}));
            client.send_command(command::stmt_close, bytes({99, 99, 99, 99}));
            client.send_command(command::stmt_prepare, "SELECT 8");
            client.send_command(command::stmt_reset, id);
        }
        for (int i = 0; i < 200; ++i) {
            (void)client.receive_packet();
            skip_definition();
            CHECK(client.receive_packet().text().back() == 0);
            (void)client.receive_packet();
            CHECK(client.receive_packet().first_byte() == 0);
            skip_definition();
            CHECK(client.receive_result().is_ok);
        }

        // Behind a file: what follows its empty packet is a command again, and waits.
        query("LOAD DATA LOCAL INFILE 'f' INTO TABLE relayed");
        CHECK(client.receive_packet().first_byte() == 0xFB);
        client.send_packet("50\tfifty\n", 2);
        client.send_packet(std::string_view(), 3);
        query("SELECT v FROM relayed WHERE id = 50");
        query("SHOW MIGRATIONS");
        query("LOAD DATA LOCAL INFILE 'g' INTO TABLE relayed");
        CHECK(client.receive_result().affected_rows == 1);
        CHECK(client.receive_result().rows == rows{{"fifty"}});
        CHECK(client.receive_result().rows == rows{{"m1"}});
        CHECK(client.receive_packet().first_byte() == 0xFB);
        client.send_packet(std::string_view(), 2);
        query("SELECT 9");
        CHECK(client.receive_result().is_ok);
        CHECK(client.receive_result().rows == rows{{"9"}});

        if (kind != server_kind::mysql_5_6) {
            query("SET @kept = 1");
            client.send_command(command::reset_connection);
            query("SELECT @kept");
            client.send_command(command::reset_connection);
            query("SHOW MIGRATIONS");
            query("SELECT 10");
            CHECK(client.receive_result().is_ok);
            CHECK(client.receive_result().is_ok);
            CHECK(client.receive_result().rows == rows{{std::nullopt}});
            CHECK(client.receive_result().is_ok);
            CHECK(client.receive_result().rows == rows{{"m1"}});
            CHECK(client.receive_result().rows == rows{{"10"}});
        }
        // A quit behind them all: the answers still come.
        for (int i = 0; i < 5; ++i) query("SELECT " + std::to_string(i));
        client.send_command(command::quit);
        for (int i = 0; i < 5; ++i) CHECK(client.receive_result().rows == rows{{std::to_string(i)}});
        CHECK(client.closed_by_peer());
    }
}

TEST_CASE("a gate closes in the middle of pipelined commands") {
    make_table(server_kind::mysql_9_7, "relayed", 3);
    proxy::proxy_options options;
    options.answer_show = [](const sql::show_request&) {
        proxy::show_answer answer;
        answer.columns = {"id"};
        answer.rows = {{"m1"}};
        return answer;
    };
    const proxy_under_test proxied(server_kind::mysql_9_7, options);
    const auto gate = proxied.proxy->gates().watch({"test", "relayed"});
    REQUIRE(gate);
    gate->close(std::chrono::steady_clock::now() + 20s);
    auto client = proxied.client();
    for (const char* text : {"SELECT 1", "SELECT 2", "SELECT COUNT(*) FROM relayed", "SHOW MIGRATIONS", "BEGIN",
                             "SELECT COUNT(*) FROM relayed", "COMMIT", "SELECT 3"}) {
        client.send_command(command::query, text);
    }
    CHECK(client.receive_result().rows == rows{{"1"}});
    CHECK(client.receive_result().rows == rows{{"2"}});
    REQUIRE(eventually([&] { return proxied.proxy->statistics().statements_held_now == 1; }));
    CHECK(client.silent_for(20ms));
    (void)gate->open();
    CHECK(client.receive_result().rows == rows{{"3"}});
    CHECK(client.receive_result().rows == rows{{"m1"}});
    CHECK(client.receive_result().is_ok);
    CHECK(client.receive_result().rows == rows{{"3"}});
    CHECK(client.receive_result().is_ok);
    CHECK(client.receive_result().rows == rows{{"3"}});
}

TEST_CASE("a server that shuts down takes its sessions with it") {
    for (const auto kind : every_server) {
        INFO(throwaway::to_string(kind));
        auto own = start_server(kind);
        proxy::proxy_options options;
        options.server_port = own.port();
        const proxy_under_test proxied(kind, options);
        auto idle = proxied.client();
        auto busy = proxied.client();
        auto in_transaction = proxied.client();
        CHECK(in_transaction.query("BEGIN").is_ok);
        busy.send_command(command::query, "SELECT SLEEP(60)");
        auto root = connect(own);
        REQUIRE(eventually([&] {
            return root.scalar("SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP%'") ==
                   "1";
        }));
        own.stop();
        for (auto* client : {&idle, &busy, &in_transaction}) {
            CHECK(client->closed_by_peer());
            // Clients that do not hang up in their turn are given up after a while; it is enough to see that once.
            if (kind != server_kind::mysql_9_7) client->close();
        }
        CHECK(eventually([&] { return proxied.proxy->statistics().sessions == 0; }));
    }
}

}  // namespace
}  // namespace sluice::test

// What Sluice knows of a session's statements, where only a real server tells what they are.

#include "protocol/message/prepared.hpp"
#include "protocol/message/statement_command.hpp"
#include "tests/integration/proxy_fixture.hpp"

namespace sluice::test {
namespace {

using protocol::command;
using std::chrono::steady_clock;
namespace capability = protocol::capability;

constexpr auto multi = capability::multi_statements | capability::local_files;

std::uint32_t prepare(raw_client& client, std::string_view text) {
    client.send_command(command::stmt_prepare, text);
    const auto answer = client.receive_packet();
    const auto head = protocol::parse_prepare_ok(answer.payload, client.capabilities());
    REQUIRE(head);
    REQUIRE(head->parameter_count == 0);
    REQUIRE(head->column_count == 0);
    return head->statement_id;
}

void send_execute(raw_client& client, std::uint32_t id) {
    protocol::byte_buffer payload;
    protocol::serialise_stmt_execute(payload, id, 0, {}, client.capabilities());
    client.send_packet(payload);
}

void send_close(raw_client& client, std::uint32_t id) {
    protocol::byte_buffer payload;
    protocol::serialise_stmt_close(payload, id);
    client.send_packet(payload);
}

raw_result execute(raw_client& client, std::uint32_t id) {
    send_execute(client, id);
    return client.receive_result();
}

// Sends a file of one row where the server asks for one.
raw_result load(raw_client& client) {
    const auto request = client.receive_packet();
    INFO(request.text());
    REQUIRE(request.first_byte() == 0xFB);
    client.send_packet("7,seven\n", static_cast<std::uint8_t>(request.sequence + 1));
    client.send_packet("", static_cast<std::uint8_t>(request.sequence + 2));
    return client.receive_result();
}

struct gated {
    explicit gated(server_kind kind) : proxied(kind) {
        make_table(kind, "gated", 3);
        make_table(kind, "free", 3);
        gate = proxied.proxy->gates().watch({"test", "gated"});
        REQUIRE(gate != nullptr);
    }
    // For longer than a client waits for its answer.
    void close() const { gate->close(steady_clock::now() + 60s); }
    [[nodiscard]] bool eventually_held(std::uint64_t count) const {
        return eventually([&] { return proxied.proxy->statistics().statements_held_now == count; });
    }

    proxy_under_test proxied;
    std::unique_ptr<proxy::table_gate> gate;
};

TEST_CASE("a connection that prepares, executes and closes for ever stays known") {
    for (const auto kind : every_server) {
        CAPTURE(to_string(kind));
        gated test(kind);
        auto client = test.proxied.client();
        const std::string filler = " -- " + std::string(200, '-');
        const std::string text = "UPDATE free SET v = 'x' WHERE id = 1" + filler;
        for (int i = 0; i < 3000; ++i) {
            const auto id = prepare(client, text);
            send_execute(client, id);
            send_close(client, id);  // behind it, unanswered
            REQUIRE(client.receive_result().is_ok);
        }
        test.close();
        const auto id = prepare(client, "DELETE FROM free WHERE id = 2" + filler);
        CHECK(execute(client, id).affected_rows == 1);
        const auto gated_id = [&] {
            test.gate->open();
            const auto made = prepare(client, "DELETE FROM gated WHERE id = 2");
            test.close();
            return made;
        }();
        send_execute(client, gated_id);
        CHECK(test.eventually_held(1));
        test.gate->open();
        CHECK(client.receive_result().affected_rows == 1);
        CHECK_FALSE(execute(client, id + 1000).is_ok);
    }
}

TEST_CASE("MariaDB loads a local file for whatever statement runs LOAD DATA LOCAL") {
    const auto kind = server_kind::mariadb_10_11;
    make_table(kind, "loaded", 0);
    const proxy_under_test proxied(kind);
    auto client = proxied.client(multi);
    const std::string load_data = "LOAD DATA LOCAL INFILE 'f' INTO TABLE loaded FIELDS TERMINATED BY ','";
    const std::string behind_set = "SET STATEMENT max_statement_time = 100 FOR " + load_data;
    const auto loads = [&](const char* how) {
        INFO(how);
        CHECK(load(client).affected_rows == 1);
        CHECK(client.query("DELETE FROM loaded").affected_rows == 1);
    };
    client.send_command(command::query, behind_set);
    loads("SET STATEMENT");
    for (const auto& text : {load_data, behind_set, load_data + " /* " + std::string(20'000, 'x') + " */"}) {
        const auto id = prepare(client, text);
        send_execute(client, id);
        loads("COM_STMT_EXECUTE");
        send_close(client, id);
    }
    (void)prepare(client, load_data);
    send_execute(client, 0xFFFFFFFF);
    loads("the one prepared last");
    client.send_command(command::query, "EXECUTE IMMEDIATE \"" + load_data + "\"");
    loads("EXECUTE IMMEDIATE");
    CHECK(client.query("PREPARE s FROM \"" + behind_set + "\"").is_ok);
    client.send_command(command::query, "EXECUTE s");
    loads("EXECUTE");
    auto root = connect(shared_server(kind), "test");
    root.exec("CREATE OR REPLACE PROCEDURE loads() EXECUTE IMMEDIATE \"" + load_data + "\"");
    client.send_command(command::query, "CALL loads()");
    loads("CALL");
    send_execute(client, prepare(client, "CALL loads()"));
    loads("a prepared CALL");
    client.send_command(command::query, "BEGIN NOT ATOMIC EXECUTE IMMEDIATE \"" + load_data + "\"; END");
    loads("a compound statement");
}

TEST_CASE("behind the part of a text that is looked at a file is loaded, a schema chosen, a table locked") {
    const std::string filler =
        "INSERT INTO free VALUES (100, '" + std::string(40'000, 'x') + "') ON DUPLICATE KEY UPDATE v = ''";
    for (const auto kind : every_server) {
        CAPTURE(to_string(kind));
        gated test(kind);
        auto root = connect(shared_server(kind), "test");
        root.exec("ALTER TABLE free MODIFY v TEXT");
        make_table(kind, "loaded", 0);
        auto client = test.proxied.client(multi, capability::session_track);
        client.send_command(command::query,
                            filler + "; LOAD DATA LOCAL INFILE 'f' INTO TABLE loaded FIELDS TERMINATED BY ','");
        CHECK(client.receive_result().is_ok);
        CHECK(load(client).affected_rows == 1);
        // A long text that holds no other statement is not held.
        test.close();
        CHECK(client.query(filler).is_ok);
        test.gate->open();
        client.send_command(command::query, filler + "; LOCK TABLES gated WRITE");
        CHECK(client.receive_results().size() == 2);
        // Whoever holds the lock passes.
        test.close();
        CHECK(client.query("UPDATE gated SET v = 'mine' WHERE id = 1").affected_rows == 1);
        CHECK(client.query("UNLOCK TABLES").is_ok);
        test.gate->open();
        client.send_command(command::query, filler + "; USE information_schema");
        CHECK(client.receive_results().size() == 2);
        test.close();
        CHECK_FALSE(client.query("DELETE FROM gated").is_ok);  // of information_schema
        client.send_command(command::query, "DELETE FROM test.gated WHERE id = 3");
        CHECK(test.eventually_held(1));
        test.gate->open();
        CHECK(client.receive_result().affected_rows == 1);
    }
}

TEST_CASE("behind query attributes longer than what is looked at a file is loaded, a schema chosen, a table locked") {
    gated test(server_kind::mysql_9_7);
    make_table(server_kind::mysql_9_7, "loaded", 0);
    auto client = test.proxied.client(multi | capability::query_attributes, capability::session_track);
    const auto send = [&](const std::string& text) {
        protocol::byte_buffer payload;
        protocol::serialise_query(payload, text, 0);
        auto bytes = protocol::to_string(payload);
        // One attribute, a string of 40 000 bytes, without a name.
        bytes.insert(1, std::string("\1\1\0\1\xFE\0\0\xFC\x40\x9C", 10) + std::string(40'000, 'x'));
        client.send_packet(bytes);
    };
    send("LOAD DATA LOCAL INFILE 'f' INTO TABLE loaded FIELDS TERMINATED BY ','");
    CHECK(load(client).affected_rows == 1);
    send("LOCK TABLES gated WRITE");
    CHECK(client.receive_result().is_ok);
    test.close();
    // Whoever holds the lock passes.
    send("UPDATE gated SET v = 'mine' WHERE id = 1");
    CHECK(client.receive_result().affected_rows == 1);
    const auto plain = [&](std::string_view text) {
        client.send_command(command::query, std::string("\0\1", 2) + std::string(text));
    };
    plain("UNLOCK TABLES");
    CHECK(client.receive_result().is_ok);
    plain("DELETE FROM gated WHERE id = 3");
    CHECK(test.eventually_held(1));
    test.gate->open();
    CHECK(client.receive_result().affected_rows == 1);
    send("USE information_schema");
    CHECK(client.receive_result().is_ok);
    CHECK(eventually([&] { return test.proxied.proxy->sessions().at(0).schema.empty(); }));
}

TEST_CASE("locks that EXECUTE takes are seen") {
    gated test(server_kind::mariadb_10_11);
    for (const char* text :
         {"PREPARE s FROM 'LOCK TABLES gated WRITE'; EXECUTE s", "EXECUTE IMMEDIATE 'LOCK TABLES gated WRITE'",
          "SET @a = 'LOCK TABLES gated WRITE'; PREPARE s FROM @a; EXECUTE s",
          "SET STATEMENT max_statement_time = 100 FOR LOCK TABLES gated WRITE"}) {
        INFO(text);
        auto client = test.proxied.client();
        std::string_view rest = text;
        while (!rest.empty()) {
            const auto one = rest.substr(0, rest.find(';'));
            CHECK(client.query(one).is_ok);
            rest.remove_prefix(std::min(rest.size(), one.size() + 1));
        }
        test.close();
        CHECK(client.query("UPDATE gated SET v = 'mine' WHERE id = 1").is_ok);
        CHECK(client.query("UNLOCK TABLES").is_ok);
        client.send_command(command::query, "UPDATE gated SET v = 'yours' WHERE id = 1");
        CHECK(test.eventually_held(1));
        test.gate->open();
        CHECK(client.receive_result().affected_rows == 1);
    }
}

}  // namespace
}  // namespace sluice::test

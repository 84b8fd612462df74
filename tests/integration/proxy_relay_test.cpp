// Every command through the proxy: the replies are, packet for packet, those of a direct connection, and the session is
// known to be idle after each.

#include "protocol/message/statement_command.hpp"
#include "tests/integration/proxy_fixture.hpp"

#include <sys/socket.h>

namespace sluice::test {
namespace {

using protocol::command;
namespace capability = protocol::capability;

std::string bytes(std::initializer_list<int> values) {
    std::string text;
    for (const int value : values) text += static_cast<char>(value);
    return text;
}

struct sent_command {
    command kind;
    std::string body;
    bool same_reply = true;  ///< false: a reply whose bytes differ from one time to the next
    /// The body is preceded by the id of the n-th statement prepared on the connection (MariaDB numbers them over all
    /// connections); 99 is one that does not exist.
    std::size_t statement = 0;
};

sent_command query(std::string text) { return {command::query, std::move(text)}; }

// The command, and behind it in the same write one whose failure cannot be taken for anything else.
// Ids of statements are made equal in the replies.
std::vector<raw_client::packet> replies_to(raw_client& client, const sent_command& sent,
                                           std::vector<std::string>& ids) {
    constexpr std::uint16_t unknown_schema = 1049;
    std::string head(1, static_cast<char>(sent.kind));
    if (sent.statement != 0) head += sent.statement <= ids.size() ? ids[sent.statement - 1] : "\x77\x66\x55\x44";
    protocol::byte_buffer both;
    protocol::append_framed(both, protocol::to_buffer(head + sent.body), 0);
    protocol::byte_buffer last;
    protocol::serialise_init_db(last, "no_such_schema");
    protocol::append_framed(both, last, 0);
    client.send_bytes(both);
    std::vector<raw_client::packet> packets;
    for (;;) {
        packets.push_back(client.receive_packet());
        const auto err = protocol::parse_err(packets.back().payload);
        if (err && err->code == unknown_schema) break;
    }
    auto& first = packets.front().payload;
    if (sent.kind == command::stmt_prepare && first[0] == std::byte{0}) {
        ids.push_back(protocol::to_string(protocol::byte_view(first).subspan(1, 4)));
        std::fill(first.begin() + 1, first.begin() + 5, std::byte{0});
    }
    return packets;
}

std::vector<sent_command> commands_for(server_kind kind, bool multi) {
    const auto execute = [](std::size_t statement, int flags) {
        return sent_command{command::stmt_execute, bytes({flags, 1, 0, 0, 0}), true, statement};
    };
    const auto fetch = [](std::size_t statement, int count) {
        return sent_command{command::stmt_fetch, bytes({count, 0, 0, 0}), true, statement};
    };
    std::vector<sent_command> all{
        query("SELECT 1"),
        query("SELECT * FROM relayed ORDER BY id"),
        query("SELECT * FROM relayed WHERE id < 0"),
        query("SELECT REPEAT('x', 70000), id FROM relayed"),
        query("DO 1"),
        query("UPDATE relayed SET v = 'changed' WHERE id = 2"),
        query("SELECT FROM"),
        query("SELECT * FROM no_such_table"),
        query("SELECT IF(id = 3, (SELECT 1 UNION SELECT 2), id) FROM relayed ORDER BY id"),  // ERR between rows
        query("CALL two_results()"),
        query("CALL two_results_then_error()"),
        query("SET @a = 1"),
        query("SET NAMES latin1"),
        query("USE mysql"),
        query("USE test"),
        query("BEGIN"),
        query("INSERT INTO relayed VALUES (100, 'x')"),
        query("INSERT INTO relayed VALUES (100, 'again')"),
        query("ROLLBACK"),
        query(""),
        query("-- nothing"),
        {command::ping, ""},
        {command::statistics, "", false},
        {command::init_db, "test"},
        {command::set_option, bytes({0, 0})},
        query("SELECT 1; SELECT 2"),
        query("SELECT 1; SELECT * FROM relayed; DO 1; SELECT * FROM relayed WHERE id < 0; SELECT nope; SELECT 3"),
        query("CALL two_results(); SELECT 5"),
        {command::set_option, bytes({1, 0})},
        query("SELECT 1; SELECT 2"),
        {command::stmt_prepare, "SELECT id, v, ? FROM relayed WHERE id > ? ORDER BY id"},
        execute(1, 0),  // without its parameters: an error
        {command::stmt_prepare, "SELECT id, v FROM relayed ORDER BY id"},
        execute(2, 0),
        execute(2, 1),  // with a cursor
        fetch(2, 2),
        fetch(2, 9),
        {command::stmt_reset, "", true, 2},
        {command::stmt_fetch, bytes({9, 0, 0, 0}), false, 2},  // no cursor any more; MariaDB names the id
        {command::stmt_send_long_data, bytes({0, 0, 'a', 'b'}), true, 1},
        {command::stmt_close, "", true, 1},
        {command::stmt_prepare, "SELECT FROM"},
        {command::stmt_prepare, "DO 1"},
        execute(3, 0),
        {command::stmt_prepare, "CALL two_results()"},
        execute(4, 0),
        execute(99, 0),
        {command::field_list, std::string("relayed\0", 8)},
        {command::field_list, std::string("no_such_table\0", 14)},
        {command::process_info, "", false},
        {command::debug, ""},
        {command::process_kill, bytes({0xff, 0xff, 0xff, 0x7f})},
        {command::create_db, "x"},
        {command::time, ""},
        {static_cast<command>(0x77), "what?"},
        query("SELECT 'still here'"),
    };
    if (kind != server_kind::mysql_5_6) all.push_back({command::reset_connection, ""});
    if (!multi) std::erase_if(all, [](const auto& one) { return one.body.starts_with("SELECT 1; "); });
    return all;
}

void make_procedures(server_kind kind) {
    auto root = connect(shared_server(kind), "test");
    root.exec("DROP PROCEDURE IF EXISTS two_results");
    root.exec("DROP PROCEDURE IF EXISTS two_results_then_error");
    root.exec("CREATE PROCEDURE two_results() BEGIN SELECT 1; SELECT * FROM relayed ORDER BY id; END");
    root.exec("CREATE PROCEDURE two_results_then_error() BEGIN SELECT 1; SELECT 2; SELECT * FROM nowhere; END");
}

TEST_CASE("every command's reply is the server's own, and its end is found") {
    struct dialect {
        const char* name;
        protocol::capability_flags more;
        protocol::capability_flags less;
    };
    const auto multi = capability::multi_statements | capability::ps_multi_results;
    const dialect dialects[] = {
        {"modern", multi | capability::session_track, 0},
        {"with EOF packets", multi, capability::deprecate_eof},
        {"with query attributes", capability::query_attributes | capability::session_track, 0},
    };
    for (const auto kind : every_server) {
        for (const auto& dialect : dialects) {
            INFO(throwaway::to_string(kind) << ", " << dialect.name);
            const bool attributes = (dialect.more & capability::query_attributes) != 0;
            if (attributes && kind != server_kind::mysql_9_7) continue;
            protocol::client_login login;
            login.user = app_user;
            login.password = app_password;
            login.database = "test";
            login.capabilities = (login.capabilities | dialect.more) & ~dialect.less;
            auto commands = commands_for(kind, !attributes);
            for (auto& sent : commands) {
                if (attributes && sent.kind == command::query) sent.body.insert(0, bytes({0, 1}));
            }
            make_table(kind, "relayed", 5);
            make_procedures(kind);
            std::vector<std::vector<raw_client::packet>> expected;
            std::vector<std::string> ids;
            {
                raw_client direct(shared_server(kind).port());
                direct.login(login);
                for (const auto& sent : commands) expected.push_back(replies_to(direct, sent, ids));
            }
            make_table(kind, "relayed", 5);
            ids.clear();
            const proxy_under_test proxied(kind);
            raw_client client(proxied.port());
            client.login(login);
            for (std::size_t n = 0; n < commands.size(); ++n) {
                INFO(protocol::command_name(commands[n].kind) << " " << commands[n].body);
                const auto got = replies_to(client, commands[n], ids);
                REQUIRE(got.size() == expected[n].size());
                for (std::size_t i = 0; i < got.size(); ++i) {
                    CHECK(got[i].sequence == expected[n][i].sequence);
                    if (commands[n].same_reply) CHECK(got[i].payload == expected[n][i].payload);
                }
                REQUIRE(eventually([&] { return proxied.proxy->sessions().at(0).state == "idle"; }));
            }
            client.send_command(command::quit);
            CHECK(client.closed_by_peer());
            client.close();
            CHECK(eventually([&] { return proxied.proxy->statistics().sessions == 0; }));
        }
    }
}

TEST_CASE("commands cut at every byte, and many in one write") {
    make_table(server_kind::mysql_9_7, "relayed", 3);
    const proxy_under_test proxied;
    auto client = proxied.client();
    protocol::byte_buffer stream;
    for (const std::string text : {"SELECT 1", "BEGIN", "SELECT * FROM relayed", "COMMIT"}) {
        protocol::byte_buffer payload;
        protocol::serialise_query(payload, text, 0);
        protocol::append_framed(stream, payload, 0);
    }
    for (const auto byte : stream) {
        client.send_bytes(protocol::byte_view(&byte, 1));
        if (byte == stream[10]) std::this_thread::yield();
    }
    for (std::size_t rows_expected : {1U, 0U, 3U, 0U}) CHECK(client.receive_result().rows.size() == rows_expected);

    // More than the queue of expected replies holds.
    constexpr int many = 1000;
    protocol::byte_buffer burst;
    for (int i = 0; i < many; ++i) {
        protocol::byte_buffer payload;
        protocol::serialise_query(payload, "SELECT " + std::to_string(i), 0);
        protocol::append_framed(burst, payload, 0);
    }
    client.send_bytes(burst);
    for (int i = 0; i < many; ++i) REQUIRE(client.receive_result().rows.at(0).at(0) == std::to_string(i));
    CHECK(eventually([&] { return proxied.proxy->sessions().at(0).state == "idle"; }));
}

TEST_CASE("packets around 16 MiB and of 40 MiB pass both ways") {
    for (const auto kind : every_server) {
        INFO(throwaway::to_string(kind));
        const proxy_under_test proxied(kind);
        auto connection = proxied.connection();
        constexpr std::size_t frame = 0xFFFFFF;
        const std::string head = "SELECT LENGTH('";
        // The command's payload: one byte, the head, the text, and two more.
        for (const std::size_t payload : {frame - 1, frame, frame + 1, 2 * frame, std::size_t{40} << 20U}) {
            INFO(payload);
            const auto length = payload - 1 - head.size() - 2;
            CHECK(connection.scalar(head + std::string(length, 'y') + "')") == std::to_string(length));
        }
        // A row's payload: its length in four bytes (nine from 16 MiB on), and the text.
        for (const std::size_t length :
             {frame - 5, frame - 4, frame, frame + 9, 2 * frame - 9, std::size_t{40} << 20U}) {
            INFO(length);
            const auto answer = connection.query("SELECT REPEAT('z', " + std::to_string(length) + "), 1");
            REQUIRE(answer.size() == 1);
            CHECK(answer[0][0]->size() == length);
            CHECK(answer[0][1] == "1");
        }
        CHECK(connection.scalar("SELECT 'in step'") == "in step");
        CHECK(proxied.proxy->sessions().at(0).state == "idle");
    }
}

void send_file(raw_client& client, std::uint8_t sequence, const std::vector<std::string>& packets) {
    for (const auto& packet : packets) client.send_packet(packet, sequence++);
    client.send_packet(std::string_view(), sequence);
}

TEST_CASE("LOAD DATA LOCAL, several times in one text") {
    for (const auto kind : every_server) {
        INFO(throwaway::to_string(kind));
        make_table(kind, "relayed", 0);
        const proxy_under_test proxied(kind);
        auto client = proxied.client(capability::local_files | capability::multi_statements);
        client.send_command(command::query,
                            "LOAD DATA LOCAL INFILE 'a' INTO TABLE relayed; SELECT COUNT(*) FROM relayed; "
                            "LOAD DATA LOCAL INFILE 'b' INTO TABLE relayed; SELECT COUNT(*) FROM relayed");
        // Rows that look like commands: 0x01 is QUIT, 0x03 a query.
        CHECK(client.receive_packet().first_byte() == 0xFB);
        send_file(client, 2, {"1\tone\n", "2\ttwo\n3\tth", "ree\n"});
        const auto first = client.receive_result();
        CHECK(first.affected_rows == 3);
        CHECK(client.receive_result().rows == rows{{"3"}});
        const auto asked = client.receive_packet();
        CHECK(asked.first_byte() == 0xFB);
        send_file(client, static_cast<std::uint8_t>(asked.sequence + 1), {"\x01", "\t\x03SELECT 1\n", "9\tx\n"});
        (void)client.receive_result();
        (void)client.receive_result();
        CHECK(client.query("SELECT v FROM relayed WHERE id = 9").rows == rows{{"x"}});
        CHECK(proxied.proxy->sessions().at(0).state == "idle");

        client.send_command(command::query, "LOAD DATA LOCAL INFILE 'none' INTO TABLE relayed");
        CHECK(client.receive_packet().first_byte() == 0xFB);
        send_file(client, 2, {});
        CHECK(client.receive_result().is_ok);
        client.send_command(command::query, "LOAD DATA LOCAL INFILE 'x' INTO TABLE no_such_table");
        CHECK_FALSE(client.receive_result().is_ok);
        CHECK(client.query("SELECT 1").rows == rows{{"1"}});
    }
}

TEST_CASE("transactions are seen as the server sees them") {
    for (const auto kind : every_server) {
        INFO(throwaway::to_string(kind));
        make_table(kind, "relayed", 3);
        const proxy_under_test proxied(kind);
        auto connection = proxied.connection();
        const auto in_transaction = [&] { return proxied.proxy->sessions().at(0).in_transaction; };
        struct {
            const char* statement;
            bool open_after;
        } const steps[] = {
            {"SELECT 1", false},
            {"BEGIN", true},
            {"UPDATE relayed SET v = 'x' WHERE id = 1", true},
            {"COMMIT", false},
            {"SET autocommit = 0", false},
            {"SELECT * FROM relayed", true},
            {"ROLLBACK", false},
            {"SET autocommit = 1", false},
            {"START TRANSACTION", true},
            {"SELECT * FROM relayed", true},
            {"ALTER TABLE relayed COMMENT = 'x'", false},
        };
        for (const auto& step : steps) {
            INFO(step.statement);
            connection.query(step.statement);
            CHECK(in_transaction() == step.open_after);
        }
        connection.query("USE mysql");
        CHECK(proxied.proxy->sessions().at(0).schema == "mysql");
    }
}

TEST_CASE("a slow reader of a huge result stops the server, in bounded memory") {
    const proxy_under_test proxied;
    auto slow = proxied.client();
    slow.set_receive_buffer(4096);
    slow.send_command(command::query,
                      "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 900) "
                      "SELECT REPEAT('s', 1000000) FROM n");
    auto root = connect(shared_server(server_kind::mysql_9_7));
    const auto sending = [&] {
        return root.scalar(
                   "SELECT COUNT(*) FROM performance_schema.threads WHERE processlist_info LIKE 'WITH RECURSIVE%' "
                   "AND processlist_state IN ('Sending to client', 'executing')") == "1";
    };
    REQUIRE(eventually(sending));
    // The server is stopped by its full socket; what it could send so far is far from the whole.
    const auto sent = [&] {
        return std::stoull(
            root.scalar("SELECT SUM(variable_value) FROM performance_schema.status_by_thread s JOIN "
                        "performance_schema.threads t USING (thread_id) WHERE variable_name = 'Bytes_sent' "
                        "AND t.processlist_info LIKE 'WITH RECURSIVE%'"));
    };
    unsigned long long before = 0;
    REQUIRE(eventually([&] {
        const auto now = sent();
        const bool still = now != 0 && now == before;
        before = now;
        return still;
    }));
    CHECK(before < 100'000'000);
    // The thread serves others meanwhile.
    auto other = proxied.connection();
    CHECK(other.scalar("SELECT 1") == "1");
    CHECK(sending());
    slow.reset();
    CHECK(eventually([&] { return proxied.proxy->statistics().sessions == 1; }));
    CHECK(eventually([&] { return !sending(); }));
}

TEST_CASE("who hangs up is followed by the other side") {
    const proxy_under_test proxied;
    auto root = connect(shared_server(server_kind::mysql_9_7));
    const auto alive = [&](std::uint64_t id) {
        return root.scalar("SELECT COUNT(*) FROM performance_schema.processlist WHERE id = " + std::to_string(id)) ==
               "1";
    };
    for (const bool by_reset : {false, true}) {
        auto client = proxied.client();
        const auto id = client.greeting().connection_id;
        CHECK(alive(id));
        if (by_reset)
            client.reset();
        else
            client.close();
        CHECK(eventually([&] { return !alive(id); }));
    }
    auto killed = proxied.client();
    root.exec("KILL " + std::to_string(killed.greeting().connection_id));
    CHECK(killed.closed_by_peer());
    killed.close();

    auto timed_out = proxied.client();
    CHECK(timed_out.query("SET wait_timeout = 1").is_ok);
    const auto said = timed_out.receive_packet();  // what the server says unasked
    CHECK(said.sequence == 0);
    CHECK(protocol::parse_err(said.payload)->code == 4031);
    CHECK(timed_out.closed_by_peer());
    timed_out.close();
    CHECK(eventually([&] { return proxied.proxy->statistics().sessions == 0; }));
}

TEST_CASE("SHOW MIGRATIONS and its kin are answered in their turn") {
    proxy::proxy_options options;
    options.answer_show = [](const sql::show_request& request) {
        proxy::show_answer answer;
        if (request.subject == sql::show_subject::migration) {
            answer.error = proxy::show_error{1146, "42S02", "no migration " + request.id};
        } else {
            answer.columns = {"id", "state"};
            answer.rows = {{"m1", "copy"}, {"m2", std::nullopt}};
        }
        return answer;
    };
    for (const auto kind : every_server) {
        INFO(throwaway::to_string(kind));
        const proxy_under_test proxied(kind, options);
        for (const auto less : {protocol::capability_flags{0}, capability::deprecate_eof}) {
            auto client = proxied.client(0, less);
            const auto answer = client.query("SHOW MIGRATIONS");
            CHECK(answer.columns == std::vector<std::string>{"id", "state"});
            CHECK(answer.rows == rows{{"m1", "copy"}, {"m2", std::nullopt}});
            const auto unknown = client.query("show migration 'm9'");
            CHECK(unknown.error.code == 1146);
            CHECK(unknown.error.message == "no migration m9");
            CHECK(client.query("SHOW PROXY STATUS").rows.size() >= 10);
            const auto sessions = client.query("SHOW PROXY SESSIONS");
            CHECK(sessions.rows.at(0).at(1) == "app");
            CHECK_FALSE(client.query("SHOW TABLES").columns.empty());
            CHECK(client.query("SELECT 'SHOW MIGRATIONS'").rows == rows{{"SHOW MIGRATIONS"}});
            // Inside a transaction, and pipelined between others.
            CHECK(client.query("BEGIN").is_ok);
            for (const char* text : {"SELECT SLEEP(0.05)", "SHOW MIGRATIONS", "SELECT 2", "SHOW MIGRATIONS"}) {
                client.send_command(command::query, text);
            }
            CHECK(client.receive_result().rows == rows{{"0"}});
            const auto between = client.receive_result();
            CHECK(between.rows.size() == 2);
            CHECK((between.status & protocol::server_status::in_trans) != 0);
            CHECK(client.receive_result().rows == rows{{"2"}});
            CHECK(client.receive_result().rows.size() == 2);
        }
        auto library = proxied.connection();
        CHECK(library.query("SHOW MIGRATIONS LIKE '%'").size() == 2);
        CHECK(library.scalar("SELECT 1") == "1");
    }
}

}  // namespace
}  // namespace sluice::test

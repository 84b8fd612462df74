// What proxy_relay_test.cpp does not ask for: every other command, capabilities that change what a reply looks like,
// errors at every place, long parameters. Where nothing else is said, a
// conversation is held directly and through the proxy, and the packets must be the same.

#include "protocol/message/prepared.hpp"
#include "protocol/message/statement_command.hpp"
#include "tests/integration/proxy_fixture.hpp"

#include <functional>

namespace sluice::test {
namespace {

using protocol::command;
namespace capability = protocol::capability;

constexpr std::uint16_t unknown_schema = 1049;

std::string bytes(std::initializer_list<int> values) {
    std::string text;
    for (const int value : values) text += static_cast<char>(value);
    return text;
}

// One side of the comparison.
struct talk {
    raw_client client;
    std::vector<raw_client::packet> heard;
    std::string last_id;  ///< of the statement prepared last

    void query(const std::string& text) { send(command::query, text); }
    void on_statement(command kind, const std::string& body = "") { send(kind, last_id + body); }
    void execute(int flags = 0) { on_statement(command::stmt_execute, bytes({flags, 1, 0, 0, 0})); }
    void prepare(const std::string& text) { send(command::stmt_prepare, text); }

    // The command, and behind it one whose failure cannot be taken for anything else.
    void send(command kind, const std::string& body) {
        client.send_command(kind, body);
        client.send_command(command::init_db, "no_such_schema");
        bool first = true;
        for (;;) {
            auto packet = client.receive_packet();
            const auto err = protocol::parse_err(packet.payload);
            if (err && err->code == unknown_schema) return;
            if (first && kind == command::stmt_prepare && packet.first_byte() == 0) {
                last_id = protocol::to_string(protocol::byte_view(packet.payload).subspan(1, 4));
                std::fill(packet.payload.begin() + 1, packet.payload.begin() + 5, std::byte{0});
            }
            first = false;
            if (err && !last_id.empty()) hide_id(packet);
            heard.push_back(std::move(packet));
        }
    }

    // MariaDB numbers statements over all connections, and names the number in errors.
    void hide_id(raw_client::packet& packet) const {
        std::uint32_t id = 0;
        for (unsigned i = 0; i < 4; ++i) id |= std::uint32_t{static_cast<unsigned char>(last_id[i])} << (8 * i);
        auto text = packet.text();
        const std::string named = "(" + std::to_string(id) + ")";
        const auto at = text.find(named);
        if (at != std::string::npos) packet.payload = protocol::to_buffer(text.replace(at, named.size(), "(id)"));
    }
};

protocol::client_login login_with(protocol::capability_flags more, protocol::capability_flags less = 0) {
    protocol::client_login login;
    login.user = app_user;
    login.password = app_password;
    login.database = "test";
    login.capabilities = (login.capabilities | more) & ~less;
    return login;
}

// Gives back what was heard, for what else the test knows of it.
std::vector<raw_client::packet> same_both_ways(server_kind kind, const protocol::client_login& login,
                                               const std::function<void(talk&)>& hold) {
    const proxy_under_test proxied(kind);
    talk direct{raw_client(shared_server(kind).port(), 20s), {}, {}};
    talk through{raw_client(proxied.port(), 20s), {}, {}};
    for (auto* one : {&direct, &through}) {
        one->client.login(login);
        hold(*one);
    }
    CHECK((through.client.capabilities() & login.capabilities) == (direct.client.capabilities() & login.capabilities));
    REQUIRE(through.heard.size() == direct.heard.size());
    for (std::size_t i = 0; i < direct.heard.size(); ++i) {
        INFO("packet " << i << " of " << direct.heard.size());
        CHECK(through.heard[i].sequence == direct.heard[i].sequence);
        CHECK(through.heard[i].payload == direct.heard[i].payload);
    }
    CHECK(eventually([&] { return proxied.proxy->sessions().at(0).state == "idle"; }));
    return std::move(through.heard);
}

constexpr protocol::capability_flags both_eof_modes[] = {0, capability::deprecate_eof};

TEST_CASE("9.7 leaves out the metadata that a client does not want") {
    const auto kind = server_kind::mysql_9_7;
    make_table(kind, "relayed", 3);
    auto root = connect(shared_server(kind), "test");
    root.exec("DROP PROCEDURE IF EXISTS out_and_in");
    root.exec("CREATE PROCEDURE out_and_in(OUT a INT) BEGIN SELECT 1, 2; SET a = 7; SELECT * FROM relayed; END");
    for (const auto less : both_eof_modes) {
        for (const auto more : {protocol::capability_flags{0}, capability::session_track}) {
            const auto login = login_with(more | capability::optional_resultset_metadata |
                                              capability::multi_statements | capability::ps_multi_results,
                                          less);
            std::size_t heard_none = 0;
            std::size_t heard_full = 0;
            for (const char* metadata : {"NONE", "FULL"}) {
                INFO(metadata << (less != 0 ? ", with EOF" : "") << (more != 0 ? ", tracking" : ""));
                const auto heard = same_both_ways(kind, login, [&](talk& one) {
                    REQUIRE((one.client.capabilities() & capability::optional_resultset_metadata) != 0);
                    one.query(std::string("SET resultset_metadata = ") + metadata);
                    one.query("SELECT * FROM relayed ORDER BY id");
                    one.query("SELECT * FROM relayed WHERE id < 0");
                    one.query("SELECT 1; DO 1; SELECT 2, 3; SELECT nope");
                    one.query("SHOW DATABASES LIKE 'test'");
                    one.query("SELECT IF(id = 3, (SELECT 1 UNION SELECT 2), id) FROM relayed ORDER BY id");
                    one.prepare("SELECT id, v FROM relayed WHERE id > 0 ORDER BY id");
                    one.execute();
                    one.execute(1);
                    one.on_statement(command::stmt_fetch, bytes({2, 0, 0, 0}));
                    one.on_statement(command::stmt_fetch, bytes({2, 0, 0, 0}));
                    one.prepare("SELECT ?, id FROM relayed WHERE v = ?");
                    one.prepare("DO ?");
                    one.prepare("CALL out_and_in(@a)");
                    one.execute();
                    one.send(command::field_list, std::string("relayed\0", 8));
                    one.query("SELECT 'still here'");
                });
                (std::string(metadata) == "NONE" ? heard_none : heard_full) = heard.size();
            }
            CHECK(heard_none < heard_full);
        }
    }
}

TEST_CASE("MariaDB's own capabilities: cached metadata, extended types, bulk, progress") {
    const auto kind = server_kind::mariadb_10_11;
    make_table(kind, "relayed", 3);
    const auto own = capability::mariadb_cache_metadata | capability::mariadb_extended_metadata |
                     capability::mariadb_stmt_bulk_operations | capability::mariadb_progress;
    for (const auto less : both_eof_modes) {
        INFO((less != 0 ? "with EOF" : "modern"));
        // MariaDB's capabilities travel where long_password is not set.
        const auto login = login_with(own | capability::multi_statements | capability::session_track,
                                      less | capability::long_password);
        const auto heard = same_both_ways(kind, login, [&](talk& one) {
            REQUIRE((one.client.capabilities() & own) == own);
            one.query("SELECT * FROM relayed ORDER BY id");
            one.query("SELECT JSON_OBJECT('a', 1), POINT(1, 2), CAST('::1' AS INET6)");
            one.prepare("SELECT id, v FROM relayed ORDER BY id");
            one.execute();
            one.execute();  // the definitions are known by now
            one.execute();
            one.execute(1);
            one.on_statement(command::stmt_fetch, bytes({2, 0, 0, 0}));
            one.on_statement(command::stmt_fetch, bytes({5, 0, 0, 0}));
            one.query("ALTER TABLE relayed ADD COLUMN w INT");
            one.execute();  // the definitions have changed
            one.query("ALTER TABLE relayed DROP COLUMN w");
            one.prepare("INSERT INTO relayed VALUES (?, ?)");
            // Types are sent, two rows: an integer and a string each, behind a byte that says "a value".
            one.on_statement(command::mariadb_stmt_bulk_execute,
                             bytes({0x80, 0, 3, 0, 0xFD, 0, 0, 10, 0, 0, 0, 0, 1, 'a', 0, 11, 0, 0, 0, 0, 1, 'b'}));
            one.query("DELETE FROM relayed WHERE id IN (10, 11)");
            one.query("SELECT 'still here'");
        });
        CHECK_FALSE(heard.empty());
    }
    // Progress reports come when an ALTER takes longer than the server's interval: through the proxy alone, since their
    // number is chance.
    auto root = connect(shared_server(kind), "test");
    root.exec("DROP TABLE IF EXISTS slow_to_copy");
    root.exec(
        "CREATE TABLE slow_to_copy (a INT, b VARCHAR(200)) ENGINE=InnoDB AS SELECT seq AS a, REPEAT('x', 200) AS b "
        "FROM seq_1_to_200000");
    for (const auto less : both_eof_modes) {
        const proxy_under_test proxied(kind);
        raw_client client(proxied.port(), 60s);
        client.login(login_with(own, less | capability::long_password));
        CHECK(client.query("SET progress_report_time = 1").is_ok);
        std::size_t reports = 0;
        for (int attempt = 0; attempt < 20 && reports == 0; ++attempt) {
            client.send_command(command::query, "ALTER TABLE slow_to_copy FORCE, ALGORITHM=COPY");
            auto packet = client.receive_packet();
            for (; protocol::is_progress_report(packet.payload); packet = client.receive_packet()) ++reports;
            CHECK(packet.first_byte() == 0);
            CHECK(eventually([&] { return proxied.proxy->sessions().at(0).state == "idle"; }));
            root.exec("INSERT INTO slow_to_copy SELECT * FROM slow_to_copy LIMIT 200000");
        }
        CHECK(reports != 0);
        CHECK(client.query("SELECT 'still here'").is_ok);
        CHECK_FALSE(proxied.proxy->sessions().at(0).in_transaction);
    }
    root.exec("DROP TABLE slow_to_copy");
}

TEST_CASE("commands that few send, and bytes that are none") {
    for (const auto kind : every_server) {
        for (const auto less : both_eof_modes) {
            INFO(throwaway::to_string(kind) << (less != 0 ? ", with EOF" : ""));
            (void)same_both_ways(kind, login_with(capability::session_track, less), [](talk& one) {
                one.send(command::create_db, "made_by_command");
                one.send(command::drop_db, "made_by_command");
                one.send(command::refresh, bytes({0x20}));
                one.send(command::shutdown, bytes({0}));  // app has no right to
                one.send(command::table_dump, bytes({4, 't', 'e', 's', 't', 7}) + "relayed");
                one.send(command::register_slave, std::string(18, '\0'));
                one.send(command::binlog_dump, bytes({4, 0, 0, 0, 0, 0, 99, 0, 0, 0}));  // nor to this
                one.query("SELECT 'behind the dump'");
                one.send(command::binlog_dump_gtid, std::string(26, '\0'));
                one.send(command::process_kill, bytes({0xff, 0xff, 0xff, 0x7f}));
                one.send(command::debug, "");
                one.send(command::stmt_fetch, bytes({9, 9, 9, 9, 1, 0, 0, 0}));
                for (const auto kind_of : {command::sleep, command::connect, command::time, command::delayed_insert,
                                           command::connect_out, command::daemon}) {
                    one.send(kind_of, "");
                }
                for (const int byte : {0x22, 0x40, 0x7F, 0x80, 0xC0, 0xF0}) one.send(static_cast<command>(byte), "x");
                one.query("SELECT 'still here'");
            });
        }
    }
}

TEST_CASE("COM_CLONE is refused in words, in its turn") {
    const proxy_under_test proxied;
    auto client = proxied.client();
    client.send_command(command::query, "SELECT 1");
    client.send_command(command::clone);
    client.send_command(command::query, "SELECT 2");
    CHECK(client.receive_result().rows == rows{{"1"}});
    const auto refusal = client.receive_result();
    CHECK(refusal.error.code == 1235);
    CHECK(refusal.error.sqlstate == "42000");
    CHECK(refusal.error.message.find("COM_CLONE") != std::string::npos);
    CHECK(client.receive_result().rows == rows{{"2"}});
}

TEST_CASE("several statements are on exactly while the server says so") {
    for (const auto kind : every_server) {
        INFO(throwaway::to_string(kind));
        (void)same_both_ways(kind, login_with(0), [kind](talk& one) {
            one.query("SELECT 1; SELECT 2");
            one.send(command::set_option, bytes({0, 0}));
            one.query("SELECT 1; SELECT 2");
            if (kind != server_kind::mysql_5_6) {
                one.send(command::reset_connection, "");
                one.query("SELECT 1; SELECT 3");
            }
            one.send(command::set_option, bytes({1, 0}));
            one.query("SELECT 1; SELECT 4");
            one.send(command::set_option, bytes({7, 0}));
            one.query("SELECT 5");
        });
    }
}

TEST_CASE("errors at every place, in text and binary, with cursors") {
    for (const auto kind : every_server) {
        make_table(kind, "relayed", 5);
        auto root = connect(shared_server(kind), "test");
        root.exec("DROP PROCEDURE IF EXISTS with_out");
        root.exec(
            "CREATE PROCEDURE with_out(IN a INT, OUT b INT, INOUT c INT) BEGIN SET b = a; SELECT a; SET c = 9; END");
        for (const auto less : both_eof_modes) {
            INFO(throwaway::to_string(kind) << (less != 0 ? ", with EOF" : ""));
            (void)same_both_ways(
                kind, login_with(capability::ps_multi_results | capability::multi_statements, less), [](talk& one) {
                    // The subquery has two rows for one row only: an error behind some rows, or behind the definitions.
                    const std::string late =
                        "SELECT IF(id = 4, (SELECT 1 UNION SELECT 2), id) FROM relayed ORDER BY id";
                    const std::string at_once =
                        "SELECT IF(id = 1, (SELECT 1 UNION SELECT 2), id) FROM relayed ORDER BY id";
                    for (const auto& text : {late, at_once, "SELECT 1; " + late, std::string("SELECT nope")}) {
                        one.query(text);
                    }
                    for (const auto& text : {late, at_once}) {
                        one.prepare(text);
                        one.execute();
                        one.execute(1);
                        one.on_statement(command::stmt_fetch, bytes({9, 0, 0, 0}));
                        one.on_statement(command::stmt_reset);
                        one.execute();
                        one.on_statement(command::stmt_close);
                    }
                    one.prepare("SELECT id FROM relayed ORDER BY id");
                    one.execute(1);
                    one.on_statement(command::stmt_fetch, bytes({0, 0, 0, 0}));
                    for (int i = 0; i < 4; ++i) one.on_statement(command::stmt_fetch, bytes({2, 0, 0, 0}));
                    one.execute(1);  // over an exhausted one
                    one.execute(1);  // over one that is open
                    one.on_statement(command::stmt_fetch, bytes({1, 0, 0, 0}));
                    one.query("COMMIT");
                    one.on_statement(command::stmt_fetch, bytes({1, 0, 0, 0}));
                    // Long data for a parameter that is not there is told at the execution.
                    one.on_statement(command::stmt_send_long_data, bytes({7, 0}) + "data");
                    one.execute();
                    one.prepare("CALL with_out(3, ?, ?)");
                    one.on_statement(command::stmt_execute,
                                     bytes({0, 1, 0, 0, 0, 0, 1, 3, 0, 3, 0, 1, 0, 0, 0, 2, 0, 0, 0}));
                    one.query("SELECT 'still here'");
                });
        }
    }
}

TEST_CASE("a query that is killed in the middle of its rows") {
    for (const auto kind : every_server) {
        make_table(kind, "relayed", 5);
        auto root = connect(shared_server(kind), "test");
        for (const auto less : both_eof_modes) {
            INFO(throwaway::to_string(kind) << (less != 0 ? ", with EOF" : ""));
            const proxy_under_test proxied(kind);
            auto client = proxied.client(0, less);
            client.set_receive_buffer(65536);
            // More rows than all buffers on the way hold: the server is in the middle until somebody reads.
            client.send_command(command::query,
                                "SELECT REPEAT('k', 60000) FROM relayed a, relayed b, relayed c, relayed d, relayed e");
            (void)client.receive_packet();
            root.exec("KILL QUERY " + std::to_string(client.greeting().connection_id));
            std::uint16_t code = 0;
            while (code == 0) {
                const auto packet = client.receive_packet();
                if (packet.first_byte() == 0xFF) code = protocol::parse_err(packet.payload)->code;
                REQUIRE((packet.first_byte() != 0xFE || packet.payload.size() < 9));
            }
            CHECK(code == 1317);
            CHECK(client.query("SELECT 1").rows == rows{{"1"}});
            CHECK(eventually([&] { return proxied.proxy->sessions().at(0).state == "idle"; }));
        }
    }
}

TEST_CASE("parameters and binary rows around 16 MiB and of 40 MiB") {
    constexpr std::size_t frame = 0xFFFFFF;
    for (const auto kind : every_server) {
        INFO(throwaway::to_string(kind));
        const proxy_under_test proxied(kind);
        raw_client client(proxied.port(), 60s);
        client.login(login_with(0));
        client.send_command(command::stmt_prepare, "SELECT ?, 1");
        const auto head = protocol::parse_prepare_ok(client.receive_packet().payload, client.capabilities());
        REQUIRE(head.has_value());
        const int eofs = protocol::has(client.capabilities(), capability::deprecate_eof) ? 0 : 1;
        for (int i = 0; i < head->column_count + head->parameter_count + 2 * eofs; ++i) (void)client.receive_packet();
        // The command and its row have other lengths than the text: around the border all of them are tried.
        std::vector<std::size_t> lengths{std::size_t{40} << 20U, 2 * frame};
        for (std::size_t less = 0; less <= 24; less += kind == server_kind::mysql_9_7 ? 1 : 6)
            lengths.push_back(frame + 2 - less);
        for (const auto length : lengths) {
            INFO(length);
            const std::string text(length, 'p');
            protocol::byte_buffer execute;
            const std::optional<std::string_view> values[] = {text};
            protocol::serialise_stmt_execute(execute, head->statement_id, 0, values, client.capabilities());
            client.send_packet(execute);
            for (int i = 0; i < 3 + eofs; ++i) (void)client.receive_packet();
            const auto row = client.receive_packet();
            CHECK(row.payload.size() > length);
            CHECK(row.text().find(text) != std::string::npos);
            CHECK(client.receive_packet().first_byte() == 0xFE);
        }
        // The same in pieces of long data.
        protocol::byte_buffer piece;
        protocol::serialise(piece, protocol::stmt_send_long_data{head->statement_id, 0,
                                                                 protocol::as_bytes(std::string(frame - 7, 'l'))});
        for (int i = 0; i < 2; ++i) client.send_packet(piece);
        const std::string types = bytes({0, 1, 0, 0, 0, 0, 1, 0xFC, 0});
        std::string id(4, '\0');
        for (unsigned i = 0; i < 4; ++i) id[i] = static_cast<char>(head->statement_id >> (8 * i));
        client.send_command(command::stmt_execute, id + types);
        for (int i = 0; i < 3 + eofs; ++i) (void)client.receive_packet();
        CHECK(client.receive_packet().payload.size() > 2 * (frame - 7));
        CHECK(client.receive_packet().first_byte() == 0xFE);
        CHECK(eventually([&] { return proxied.proxy->sessions().at(0).state == "idle"; }));
    }
}

}  // namespace
}  // namespace sluice::test

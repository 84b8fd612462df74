// Logins through the proxy: every plugin, cold and warm caches, refusals, and what is no login at all.

#include "protocol/auth/caching_sha2.hpp"
#include "protocol/auth/client_auth.hpp"
#include "protocol/auth/rsa.hpp"
#include "protocol/message/auth.hpp"
#include "tests/integration/proxy_fixture.hpp"

namespace sluice::test {
namespace {

using protocol::client_login;
namespace capability = protocol::capability;

client_login login_as(const std::string& user, const std::string& password) {
    client_login login;
    login.user = user;
    login.password = password;
    return login;
}

void make_user(server_kind kind, const std::string& user, const std::string& identified) {
    auto root = connect(shared_server(kind));
    if (root.scalar("SELECT COUNT(*) FROM mysql.user WHERE user = '" + user + "'") != "0") {
        root.exec("DROP USER " + user + "@'%'");
    }
    root.exec("CREATE USER " + user + "@'%' " + identified);
    root.exec("GRANT ALL ON test.* TO " + user + "@'%'");
}

TEST_CASE("an application logs in through the proxy on every server") {
    for (const auto kind : every_server) {
        INFO(throwaway::to_string(kind));
        const proxy_under_test proxied(kind);
        auto app = proxied.connection();
        CHECK(app.scalar("SELECT CURRENT_USER()") == "app@%");
        CHECK(app.scalar("SELECT DATABASE()") == "test");
        CHECK(app.scalar("SELECT CONNECTION_ID()") == std::to_string(app.connection_id()));
    }
}

TEST_CASE("caching_sha2_password logs in with a cold cache, under RSA, and with a warm one") {
    const proxy_under_test proxied;
    for (const std::string password :
         {"secret", "p", "a password of many characters: \xc3\xa4\xe2\x82\xac 0123456789"}) {
        make_user(server_kind::mysql_9_7, "cold", "IDENTIFIED BY '" + password + "'");
        for (const char* state : {"cold", "warm", "warm again"}) {
            INFO(state);
            raw_client client(proxied.port());
            client.login("cold", password);
            CHECK(client.query("SELECT CURRENT_USER()").rows == rows{{"cold@%"}});
        }
        connect(shared_server(server_kind::mysql_9_7)).exec("FLUSH PRIVILEGES");
        sql_connection library(proxied.port(), "cold", password);  // the C client's own way
        CHECK(library.scalar("SELECT 1") == "1");
    }
}

// A login by hand up to the server's "full authentication, please". Returns the scramble.
std::string reach_full_authentication(raw_client& client, const std::string& user, const std::string& password) {
    const auto greeting = protocol::parse_server_greeting(client.receive_packet().payload);
    REQUIRE(greeting.has_value());
    REQUIRE(greeting->auth_plugin == protocol::caching_sha2_plugin);
    protocol::handshake_response response;
    response.user = user;
    response.auth_response = *protocol::caching_sha2_response(password, greeting->scramble());
    response.auth_plugin = protocol::caching_sha2_plugin;
    protocol::byte_buffer payload;
    protocol::serialise(payload, response);
    client.send_packet(payload, 1);
    const auto asked = client.receive_packet();
    REQUIRE(asked.payload == protocol::byte_buffer{std::byte{1}, std::byte{protocol::caching_sha2_full_auth}});
    return std::string(greeting->scramble());
}

std::string encrypted_for(const std::string& pem, const std::string& password, const std::string& scramble) {
    const auto key = protocol::rsa_public_key::from_pem(pem);
    REQUIRE(key.has_value());
    return *key->encrypt(protocol::mask_password(password, scramble));
}

TEST_CASE("a client that holds a public key sends its password unasked") {
    const proxy_under_test proxied;
    auto root = connect(shared_server(server_kind::mysql_9_7));
    const auto servers_key = root.query("SHOW STATUS LIKE 'Caching_sha2_password_rsa_public_key'")[0][1].value();

    make_user(server_kind::mysql_9_7, "keyed", "IDENTIFIED BY 'secret'");
    raw_client asking(proxied.port());
    reach_full_authentication(asking, "keyed", "secret");
    asking.send_packet(std::string_view("\x02"), 3);
    const auto answer = asking.receive_packet();
    CHECK(answer.sequence == 4);
    const auto proxys_key = answer.text().substr(1);
    CHECK(proxys_key.starts_with("-----BEGIN PUBLIC KEY-----"));
    CHECK(proxys_key != servers_key);
    asking.close();

    for (const auto& key : {proxys_key, servers_key}) {
        root.exec("FLUSH PRIVILEGES");
        raw_client client(proxied.port());
        const auto scramble = reach_full_authentication(client, "keyed", "secret");
        client.send_packet(encrypted_for(key, "secret", scramble), 3);
        const auto ok = client.receive_packet();
        CHECK(ok.first_byte() == 0x00);
        CHECK(ok.sequence == 4);
        client.send_command(protocol::command::ping);
        CHECK(client.receive_packet().first_byte() == 0x00);
    }
    root.exec("FLUSH PRIVILEGES");
    raw_client wrong(proxied.port());
    const auto scramble = reach_full_authentication(wrong, "keyed", "secret");
    wrong.send_packet(encrypted_for(proxys_key, "not the secret", scramble), 3);
    const auto refusal = protocol::parse_err(wrong.receive_packet().payload);
    REQUIRE(refusal.has_value());
    CHECK(refusal->code == 1045);
    CHECK(wrong.closed_by_peer());
}

TEST_CASE("empty passwords, and switches of the plugin") {
    make_user(server_kind::mysql_9_7, "nopass", "IDENTIFIED BY ''");
    const proxy_under_test mysql;
    raw_client client(mysql.port());
    client.login("nopass", "");
    CHECK(client.query("SELECT CURRENT_USER()").rows == rows{{"nopass@%"}});
    sql_connection library(mysql.port(), "nopass", "");
    CHECK(library.scalar("SELECT 1") == "1");

    // The client takes the account for one of another plugin: the server switches, with a scramble of its own.
    make_user(server_kind::mysql_9_7, "switched", "IDENTIFIED BY 'secret'");
    for (const char* state : {"cold", "warm"}) {
        INFO(state);
        raw_client client_of_old(mysql.port());
        (void)client_of_old.receive_packet();
        protocol::handshake_response response;
        response.user = "switched";
        response.auth_response = std::string(20, 'x');
        response.auth_plugin = "a_plugin_nobody_knows";
        protocol::byte_buffer payload;
        protocol::serialise(payload, response);
        client_of_old.send_packet(payload, 1);
        const auto asked = client_of_old.receive_packet();
        const auto wanted = protocol::parse_auth_switch_request(asked.payload);
        REQUIRE(wanted.has_value());
        CHECK(wanted->plugin == protocol::caching_sha2_plugin);
        protocol::client_auth auth("secret", false);
        auto said = asked;
        std::uint8_t sequence = asked.sequence;
        while (said.first_byte() != 0x00) {
            REQUIRE(said.first_byte() != 0xFF);
            const auto reply = auth.on_packet(said.payload);
            REQUIRE(reply.has_value());
            if (*reply) client_of_old.send_packet(**reply, static_cast<std::uint8_t>(sequence + 1));
            said = client_of_old.receive_packet();
            sequence = said.sequence;
        }
        client_of_old.send_command(protocol::command::ping);
        CHECK(client_of_old.receive_packet().first_byte() == 0x00);
    }
}

TEST_CASE("a refusal is the server's own") {
    for (const auto kind : every_server) {
        INFO(throwaway::to_string(kind));
        const proxy_under_test proxied(kind);
        for (const auto& [user, password, schema] : {std::tuple{app_user, "wrong", ""}, std::tuple{"nobody", "x", ""},
                                                     std::tuple{app_user, app_password, "no_such_schema"}}) {
            auto login = login_as(user, password);
            login.database = schema;
            raw_client direct(shared_server(kind).port());
            const auto expected = direct.try_login(login);
            raw_client client(proxied.port());
            const auto refusal = client.try_login(login);
            REQUIRE(expected.has_value());
            REQUIRE(refusal.has_value());
            CHECK(refusal->from_server == expected->from_server);
            CHECK(refusal->error.code == expected->error.code);
            CHECK(refusal->error.message == expected->error.message);
            if (refusal->from_server) CHECK(client.closed_by_peer());
        }
        CHECK(eventually([&] { return proxied.proxy->statistics().sessions == 0; }));
        CHECK(proxied.proxy->statistics().logins_failed == 3);
    }
}

TEST_CASE("COM_CHANGE_USER logs in again") {
    for (const auto kind : every_server) {
        INFO(throwaway::to_string(kind));
        make_user(kind, "other", "IDENTIFIED BY 'other-secret'");
        const proxy_under_test proxied(kind);
        auto connection = proxied.connection();
        connection.exec("SET @mark = 1");
        for (const char* state : {"cold", "warm"}) {
            INFO(state);
            connection.change_user("other", "other-secret", "test");
            CHECK(connection.scalar("SELECT CONCAT(CURRENT_USER(), IFNULL(@mark, ''))") == "other@%");
            connection.change_user(app_user, app_password, "");
            CHECK(connection.query("SELECT CURRENT_USER(), DATABASE()") == rows{{"app@%", std::nullopt}});
        }
        CHECK(proxied.proxy->sessions().at(0).user == "app");
        CHECK(proxied.proxy->sessions().at(0).state == "idle");
        try {
            connection.change_user("other", "wrong", "test");
            FAIL("a wrong password was accepted");
        } catch (const sql_error& failure) {
            CHECK(failure.number() == 1045);
        }
    }
}

TEST_CASE("what Sluice cannot follow is not offered, and what it speaks itself as it is configured") {
    struct setting {
        proxy::client_tls_mode tls;
        bool zlib;
        bool zstd;
    };
    using proxy::client_tls_mode;
    const setting settings[] = {{client_tls_mode::disabled, false, false},
                                {client_tls_mode::preferred, true, false},
                                {client_tls_mode::required, false, true},
                                {client_tls_mode::disabled, true, true}};
    const auto never = capability::capability_extension | capability::ssl_verify_server_cert |
                       capability::remember_options | capability::mariadb_com_multi;
    const auto own = capability::ssl | capability::compress | capability::zstd_compression;
    for (const auto kind : every_server) {
        raw_client direct(shared_server(kind).port());
        const auto servers = protocol::parse_server_greeting(direct.receive_packet().payload);
        REQUIRE(servers.has_value());
        for (const auto& set : settings) {
            INFO(throwaway::to_string(kind) << ", zlib " << set.zlib << ", zstd " << set.zstd);
            proxy::proxy_options options;
            options.tls.client.mode = set.tls;
            options.compression = {.offers_zlib = set.zlib, .offers_zstd = set.zstd};
            const proxy_under_test proxied(kind, options);
            raw_client client(proxied.port());
            const auto offered = protocol::parse_server_greeting(client.receive_packet().payload);
            REQUIRE(offered.has_value());
            CHECK((offered->capabilities & never) == 0);
            CHECK((offered->capabilities & ~own & ~servers->capabilities) == 0);
            CHECK(protocol::has(offered->capabilities, capability::ssl) == (set.tls != client_tls_mode::disabled));
            CHECK(protocol::has(offered->capabilities, capability::compress) == set.zlib);
            CHECK(protocol::has(offered->capabilities, capability::zstd_compression) == set.zstd);
            CHECK(offered->server_version == servers->server_version);
            CHECK(offered->auth_plugin == servers->auth_plugin);
        }
    }
}

TEST_CASE("what is no login is told so and closed") {
    proxy::proxy_options options;
    options.login_packet_bytes_max = 4096;
    options.login_limit = 300ms;
    const proxy_under_test proxied(server_kind::mysql_9_7, options);

    struct no_login {
        const char* name;
        std::string bytes;
        std::uint16_t error;
    };
    const std::string ssl_request("\x20\x00\x00\x01\x00\x8a\x08\x00", 8);
    const no_login cases[] = {
        {"HTTP", "GET / HTTP/1.1\r\nHost: example\r\n\r\n", 1153},
        {"an old client", std::string("\x05\0\0\x01\x01\x00\x00\x00\x00", 9), 1043},
        {"TLS that was not offered", ssl_request + std::string(28, '\0'), 1043},
        {"an empty packet", std::string("\0\0\0\x01", 4), 1043},
        {"a large packet", std::string("\xff\xff\xff\x01", 4) + std::string(3000, 'x'), 1153},
        {"silence", "", 1159},
    };
    for (const auto& c : cases) {
        INFO(c.name);
        raw_client client(proxied.port());
        (void)client.receive_packet();
        client.send_bytes(c.bytes);
        const auto said = client.receive_packet();
        const auto err = protocol::parse_err(said.payload);
        REQUIRE(err.has_value());
        CHECK(err->code == c.error);
        CHECK(err->sqlstate == "08S01");
        CHECK(client.closed_by_peer());
    }
    CHECK(eventually([&] { return proxied.proxy->statistics().sessions == 0; }));
}

TEST_CASE("a client that leaves before its login is not counted against Sluice's address") {
    // Servers do not count loopback addresses. What can be seen is that the server meets a login that it denies, and
    // no handshake that breaks off.
    const proxy_under_test proxied;
    auto root = connect(shared_server(server_kind::mysql_9_7));
    root.exec("SET GLOBAL log_error_verbosity = 3");
    const auto logged = [&](const char* what) {
        return std::stoi(root.scalar("SELECT COUNT(*) FROM performance_schema.error_log WHERE data LIKE '%" +
                                     std::string(what) + "%'"));
    };
    const auto denied_before = logged("client-left-before-login");
    constexpr int visits = 5;
    for (int i = 0; i < visits; ++i) {
        raw_client client(proxied.port());
        (void)client.receive_packet();
        if (i % 2 == 0)
            client.close();
        else
            client.send_bytes("garbage");
        if (i % 2 != 0) CHECK(client.closed_by_peer());
    }
    CHECK(eventually([&] { return proxied.proxy->statistics().sessions == 0; }));
    CHECK(eventually([&] { return logged("client-left-before-login") == denied_before + visits; }));
    root.exec("SET GLOBAL log_error_verbosity = 2");
}

TEST_CASE("limits of connections are told as servers tell them") {
    proxy::proxy_options options;
    options.connections_max = 3;
    options.unauthenticated_max = 2;
    const proxy_under_test proxied(server_kind::mysql_9_7, options);
    const auto refusal = [&] {
        raw_client client(proxied.port());
        const auto err = protocol::parse_err(client.receive_packet().payload);
        REQUIRE(err.has_value());
        CHECK(err->code == 1040);
        CHECK(err->sqlstate.empty());  // as from a server: nobody looks for one in the place of a greeting
        CHECK(client.closed_by_peer());
    };
    std::vector<raw_client> silent;
    for (int i = 0; i < 2; ++i) {
        silent.emplace_back(proxied.port());
        (void)silent.back().receive_packet();
    }
    refusal();
    silent.clear();
    CHECK(eventually([&] { return proxied.proxy->statistics().sessions == 0; }));
    std::vector<raw_client> in;
    for (int i = 0; i < 3; ++i) in.push_back(proxied.client());
    refusal();
    try {
        auto library = proxied.connection();
        FAIL("a connection over the limit was accepted");
    } catch (const sql_error& failure) {
        CHECK(failure.number() == 1040);
    }
    in.pop_back();
    CHECK(eventually([&] { return proxied.proxy->statistics().sessions == 2; }));
    in.push_back(proxied.client());
    CHECK(proxied.proxy->statistics().connections_refused == 3);
}

TEST_CASE("a server that is not there, or says nothing, is reported") {
    proxy::proxy_options options;
    options.server_port = 1;
    const proxy_under_test nowhere(server_kind::mysql_9_7, options);
    try {
        auto connection = nowhere.connection();
        FAIL("connected to nobody");
    } catch (const sql_error& failure) {
        CHECK(failure.number() == 1429);
        CHECK_THAT(failure.what(), Catch::Matchers::Contains("127.0.0.1:1"));
    }
    options.server_host = std::string(64, 'x') + ".invalid";  // a label that no name server has to be asked for
    const proxy_under_test nameless(server_kind::mysql_9_7, options);
    raw_client client(nameless.port(), 20s);
    CHECK(protocol::parse_err(client.receive_packet().payload)->code == 1429);

    server_options frozen_options;
    auto frozen = mysql_server::start(frozen_options);
    options.server_host = "127.0.0.1";
    options.server_port = frozen.port();
    options.connect_limit = 200ms;
    const proxy_under_test silent(server_kind::mysql_9_7, options);
    frozen.suspend();
    raw_client waiting(silent.port());
    CHECK(protocol::parse_err(waiting.receive_packet().payload)->code == 1429);
    frozen.resume();
    CHECK(silent.proxy->statistics().server_unreachable == 1);
}

TEST_CASE("a port that is taken, and options that make no sense, are refused at the start") {
    const proxy_under_test first;
    proxy::proxy_options options;
    options.listen[0].port = first.port();
    const auto second = proxy::proxy_server::start(options);
    REQUIRE(second.has_error());
    CHECK(second.error().message ==
          "cannot listen on 127.0.0.1:" + std::to_string(first.port()) + ": Address already in use");
    options.listen[0].port = 0;
    options.listen[0].address = "localhost";
    CHECK(proxy::proxy_server::start(options).has_error());
    options.listen[0].address = "127.0.0.1";
    options.io_threads = 0;
    CHECK(proxy::proxy_server::start(options).has_error());
}

}  // namespace
}  // namespace sluice::test

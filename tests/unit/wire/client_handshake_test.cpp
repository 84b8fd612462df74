#include "protocol/message/client_handshake.hpp"

#include "protocol/auth/caching_sha2.hpp"
#include "protocol/auth/native_password.hpp"
#include "protocol/auth/rsa.hpp"
#include "protocol/message/ok.hpp"
#include "tests/unit/wire/wire_support.hpp"

using namespace sluice::protocol;
using namespace sluice::protocol::test;

namespace {

const std::string scramble = "abcdefghijklmnopqrst";
const std::string other_scramble = "ABCDEFGHIJKLMNOPQRST";

server_greeting greeting_with(std::string_view plugin) {
    server_greeting greeting;
    greeting.server_version = "9.7.0-test";
    greeting.connection_id = 42;
    greeting.capabilities = 0xDFFFFFFFULL & ~capability::query_attributes;
    greeting.auth_data = scramble + '\0';
    greeting.auth_plugin = plugin;
    return greeting;
}

client_login ann() {
    client_login login;
    login.user = "ann";
    login.password = "secret";
    login.attributes = {{"program", "test"}};
    return login;
}

byte_buffer ok_packet_bytes() { return from_hex("00000003000000"); }

}  // namespace

TEST_CASE("login by the fast path") {
    auto login = ann();
    login.database = "shop";
    client_handshake handshake(login);
    CHECK(handshake.state() == login_state::waiting);
    const auto response = handshake.on_packet(bytes_of(greeting_with(caching_sha2_plugin)), 0);
    REQUIRE(response.has_value());
    CHECK(response->sequence == 1);
    const auto sent = parse_handshake_response(response->payload).value();
    CHECK(sent.user == "ann");
    CHECK(sent.auth_response == caching_sha2_response("secret", scramble).value());
    CHECK(sent.auth_plugin == caching_sha2_plugin);
    CHECK(sent.database == "shop");
    CHECK(parse_attributes(sent.attributes).value() == connect_attributes{{"program", "test"}});
    CHECK(sent.capabilities == handshake.capabilities());
    CHECK(has(sent.capabilities, capability::protocol_41 | capability::secure_connection | capability::plugin_auth |
                                     capability::connect_with_db | capability::deprecate_eof));
    CHECK_FALSE(has(sent.capabilities, capability::ssl));
    CHECK_FALSE(has(sent.capabilities, capability::compress));

    CHECK_FALSE(handshake.on_packet(from_hex("0103"), 2).has_value());
    CHECK(handshake.state() == login_state::waiting);
    CHECK_FALSE(handshake.on_packet(ok_packet_bytes(), 3).has_value());
    CHECK(handshake.state() == login_state::done);
    CHECK(handshake.server_version() == "9.7.0-test");
    CHECK(handshake.connection_id() == 42);
    CHECK(handshake.status() == 3);
    CHECK_THROWS_AS((void)handshake.on_packet(ok_packet_bytes(), 4), sluice::assertion_failure);
}

TEST_CASE("login by full authentication under RSA") {
    const auto key = rsa_key_pair::generate().value();
    client_handshake handshake(ann());
    REQUIRE(handshake.on_packet(bytes_of(greeting_with(caching_sha2_plugin)), 0).has_value());
    const auto request = handshake.on_packet(from_hex("0104"), 2);
    REQUIRE(request.has_value());
    CHECK(request->sequence == 3);
    CHECK(to_hex(request->payload) == "02");
    const auto answer = handshake.on_packet(bytes_of(auth_more_data{key.public_pem()}), 4);
    REQUIRE(answer.has_value());
    CHECK(answer->sequence == 5);
    CHECK(unmask_password(key.decrypt(as_text(answer->payload)).value(), scramble).value() == "secret");
    CHECK_FALSE(handshake.on_packet(ok_packet_bytes(), 6).has_value());
    CHECK(handshake.state() == login_state::done);
}

TEST_CASE("login with a switch to native password") {
    client_handshake handshake(ann());
    REQUIRE(handshake.on_packet(bytes_of(greeting_with("plugin_of_tomorrow")), 0).has_value());
    const auto answer = handshake.on_packet(
        bytes_of(auth_switch_request{std::string(native_password_plugin), other_scramble + '\0', false}), 2);
    REQUIRE(answer.has_value());
    CHECK(answer->sequence == 3);
    CHECK(as_text(answer->payload) == native_password_response("secret", other_scramble).value());
    CHECK_FALSE(handshake.on_packet(ok_packet_bytes(), 4).has_value());
    CHECK(handshake.state() == login_state::done);
}

TEST_CASE("an old server without plugins is answered by native password") {
    auto greeting = greeting_with("");
    greeting.capabilities = capability::protocol_41 | capability::secure_connection | capability::long_password;
    client_handshake handshake(ann());
    const auto response = handshake.on_packet(bytes_of(greeting), 0);
    REQUIRE(response.has_value());
    const auto sent = parse_handshake_response(response->payload).value();
    CHECK(sent.auth_response == native_password_response("secret", scramble).value());
    CHECK(handshake.capabilities() ==
          (capability::protocol_41 | capability::secure_connection | capability::long_password));
}

TEST_CASE("capabilities are an intersection, with MariaDB's extended ones too") {
    auto greeting = greeting_with(native_password_plugin);
    greeting.capabilities = (greeting.capabilities & ~capability::long_password & ~capability::deprecate_eof) |
                            capability::mariadb_cache_metadata | capability::mariadb_progress;
    auto login = ann();
    login.capabilities |= capability::mariadb_cache_metadata;
    client_handshake handshake(login);
    const auto response = handshake.on_packet(bytes_of(greeting), 0);
    REQUIRE(response.has_value());
    CHECK_FALSE(has(handshake.capabilities(), capability::deprecate_eof));
    CHECK_FALSE(has(handshake.capabilities(), capability::mariadb_progress));
    CHECK(has(handshake.capabilities(), capability::mariadb_cache_metadata));
    CHECK(parse_handshake_response(response->payload).value().capabilities == handshake.capabilities());
}

TEST_CASE("the server's errors come through, before and after the greeting") {
    client_handshake busy(ann());
    CHECK_FALSE(busy.on_packet(from_hex("ff1004546f6f206d616e79"), 0).has_value());
    CHECK(busy.state() == login_state::failed);
    CHECK(busy.failure().from_server);
    CHECK(busy.failure().error.code == 1040);
    CHECK(busy.failure().error.message == "Too many");

    client_handshake denied(ann());
    REQUIRE(denied.on_packet(bytes_of(greeting_with(caching_sha2_plugin)), 0).has_value());
    byte_buffer err;
    serialise(err, err_packet{1045, "28000", "Access denied"}, capability::protocol_41);
    CHECK_FALSE(denied.on_packet(err, 2).has_value());
    CHECK(denied.state() == login_state::failed);
    CHECK(denied.failure().from_server);
    CHECK(denied.failure().error.sqlstate == "28000");
    CHECK(denied.failure().error.message == "Access denied");
    CHECK_THROWS_AS((void)denied.on_packet(err, 3), sluice::assertion_failure);
}

TEST_CASE("failures of our own") {
    struct row {
        const char* what;
        byte_buffer first;
        byte_buffer second;
        std::uint16_t code;
    };
    const auto good = bytes_of(greeting_with(caching_sha2_plugin));
    auto before_41 = greeting_with(caching_sha2_plugin);
    before_41.capabilities &= ~capability::protocol_41;
    const std::vector<row> rows = {
        {"empty packet", {}, {}, 2027},
        {"unknown protocol version", from_hex("0900"), {}, 2007},
        {"cut greeting", {good.begin(), good.begin() + 20}, {}, 2027},
        {"server from before 4.1", bytes_of(before_41), {}, 2007},
        {"cut OK", good, from_hex("0000"), 2027},
        {"cut ERR", good, from_hex("ff"), 2027},
        {"unknown plugin", good, from_hex("fe6469616c6f6700"), 2059},
        {"password in clear", good, bytes_of(auth_switch_request{std::string(clear_password_plugin), "", false}), 2061},
        {"unexpected packet", good, from_hex("0700"), 2027},
    };
    for (const auto& [what, first, second, code] : rows) {
        CAPTURE(what);
        client_handshake handshake(ann());
        const auto response = handshake.on_packet(first, 0);
        CHECK(response.has_value() == !second.empty());
        if (response) CHECK_FALSE(handshake.on_packet(second, 2).has_value());
        CHECK(handshake.state() == login_state::failed);
        CHECK_FALSE(handshake.failure().from_server);
        CHECK(handshake.failure().error.code == code);
        CHECK(handshake.failure().error.sqlstate == "HY000");
        CHECK_FALSE(handshake.failure().error.message.empty());
    }
}

TEST_CASE("a password in clear longer than the old length field") {
    auto greeting = greeting_with(clear_password_plugin);
    greeting.capabilities &= ~capability::plugin_auth_lenenc_data;
    auto login = ann();
    login.password = std::string(300, 'x');
    login.is_secure_transport = true;
    client_handshake handshake(login);
    CHECK_FALSE(handshake.on_packet(bytes_of(greeting), 0).has_value());
    CHECK(handshake.failure().error.code == 2061);
}

TEST_CASE("sequence ids wrap") {
    client_handshake handshake(ann());
    const auto response = handshake.on_packet(bytes_of(greeting_with(caching_sha2_plugin)), 255);
    REQUIRE(response.has_value());
    CHECK(response->sequence == 0);
}

TEST_CASE("login over TLS, asked for before anything of the account is said") {
    for (const auto wanted : {client_tls::if_offered, client_tls::always}) {
        auto login = ann();
        login.tls = wanted;
        client_handshake handshake(login);
        const auto request = handshake.on_packet(bytes_of(greeting_with(caching_sha2_plugin)), 0);
        REQUIRE(request.has_value());
        CHECK(request->sequence == 1);
        REQUIRE(is_ssl_request(request->payload));
        CHECK(handshake.state() == login_state::securing);
        CHECK_THROWS_AS((void)handshake.on_packet(ok_packet_bytes(), 1), sluice::assertion_failure);
        const auto response = handshake.on_secured();
        REQUIRE(response.has_value());
        CHECK(response->sequence == 2);
        CHECK(handshake.state() == login_state::waiting);
        const auto sent = parse_handshake_response(response->payload).value();
        CHECK(sent.user == "ann");
        CHECK(has(sent.capabilities, capability::ssl));
        CHECK(sent.capabilities == parse_ssl_request(request->payload).value().capabilities);
        // Full authentication: the password itself, since nobody else can read it.
        const auto password = handshake.on_packet(from_hex("0104"), 3);
        REQUIRE(password.has_value());
        CHECK(to_string(password->payload) == std::string("secret\0", 7));
    }
}

TEST_CASE("a server without TLS gets a login only where plain connections are allowed") {
    auto greeting = greeting_with(caching_sha2_plugin);
    greeting.capabilities &= ~capability::ssl;
    auto login = ann();
    login.tls = client_tls::if_offered;
    client_handshake plain(login);
    const auto response = plain.on_packet(bytes_of(greeting), 0);
    REQUIRE(response.has_value());
    CHECK(parse_handshake_response(response->payload).value().user == "ann");
    login.tls = client_tls::always;
    client_handshake refused(login);
    CHECK_FALSE(refused.on_packet(bytes_of(greeting), 0).has_value());
    CHECK(refused.state() == login_state::failed);
    CHECK(refused.failure().error.code == 2026);
    CHECK_FALSE(refused.failure().from_server);
}

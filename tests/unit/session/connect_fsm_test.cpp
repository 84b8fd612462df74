#include "proxy/session/connect_fsm.hpp"
#include "proxy/session/capability_filter.hpp"
#include "tests/unit/session/login_script.hpp"

#include <vector>

namespace sluice::session {
namespace {

TEST_CASE("a fast login is passed on, with the capabilities that both sides then agree on") {
    for (const std::size_t piece : {1UL, 3UL, 1UL << 20}) {
        connect_fsm fsm({a_key(), 65536});
        CHECK(fsm.state() == login_state::greeting);
        const auto all = play(fsm, fast_login(), piece);
        CHECK(fsm.state() == login_state::done);
        const auto expected_offer = capability::mysql_mask & ~removed_capabilities;
        const auto agreed = client_flags & ~(capability::compress | capability::ssl_verify_server_cert);
        CHECK(all.by_client == framed(payload_of(greeting_of(expected_offer)), 0) + framed("\x01\x03", 2) +
                                   framed(std::string("\0\0\0\2\0\0\0", 7), 3));
        CHECK(all.by_server == framed(response_of(agreed), 1));
        const auto& facts = fsm.facts();
        CHECK(facts.capabilities == agreed);
        CHECK(facts.connection_id == 77);
        CHECK(facts.user == "app");
        CHECK(facts.schema == "shop");
        CHECK(facts.status == server_status::autocommit);
    }
}

TEST_CASE("MariaDB's flags that Sluice knows pass, others do not") {
    const auto theirs = (capability::mysql_mask & ~capability::long_password) | capability::mariadb_mask;
    const auto offered = offered_capabilities(theirs);
    CHECK((offered & capability::mariadb_mask) == known_mariadb_capabilities);
    CHECK(agreed_capabilities(theirs, theirs) == offered);
    CHECK(agreed_capabilities(0, capability::interactive | capability::deprecate_eof) == capability::interactive);
}

TEST_CASE("what belongs to the next phase is left alone") {
    connect_fsm fsm({a_key(), 65536});
    auto lines = fast_login();
    const auto last = framed(lines.back().payload, lines.back().sequence);
    lines.pop_back();
    heard all = play(fsm, lines);
    CHECK(fsm.on_server(last + framed("more", 4), all.by_client, all.by_server) == last.size());
    CHECK(fsm.on_server(framed("more", 4), all.by_client, all.by_server) == 0);
    CHECK(fsm.on_client(framed("more", 0), all.by_client, all.by_server) == 0);
}

TEST_CASE("full authentication: the password comes under Sluice's key and goes under the server's") {
    for (const bool asks : {true, false}) {
        INFO((asks ? "asks for the key" : "sends it unasked"));
        connect_fsm fsm({a_key(), 65536});
        auto lines = fast_login();
        lines.resize(2);
        lines.push_back({from::server, "\x01\x04", 2});
        (void)play(fsm, lines);
        std::uint8_t sequence = 3;
        if (asks) {
            const auto answered = play(fsm, {{from::client, "\x02", 3}});
            CHECK(answered.by_server.empty());
            CHECK(only_payload(answered.by_client, 4) == "\x01" + a_key()->public_pem());
            sequence = 5;
        }
        const auto sent = play(fsm, {{from::client, encrypted(a_key()->public_pem(), "secret"), sequence}});
        CHECK(sent.by_client.empty());
        CHECK(only_payload(sent.by_server, 3) == "\x02");
        const auto keyed = play(fsm, {{from::server, "\x01" + servers_key().public_pem(), 4}});
        CHECK(keyed.by_client.empty());
        const auto for_server = servers_key().decrypt(only_payload(keyed.by_server, 5));
        REQUIRE(for_server.has_value());
        CHECK(protocol::unmask_password(*for_server, scramble).value() == "secret");
        const auto last = play(fsm, {{from::server, std::string("\0\0\0\2\0\0\0", 7), 6}});
        CHECK(fsm.state() == login_state::done);
        // The client's own numbers go on where the client is.
        (void)only_payload(last.by_client, static_cast<std::uint8_t>(sequence + 1));
    }
}

TEST_CASE("full authentication goes wrong at every step") {
    const auto reach = [](connect_fsm& fsm) {
        auto lines = fast_login();
        lines.resize(2);
        lines.push_back({from::server, "\x01\x04", 2});
        (void)play(fsm, lines);
    };
    SECTION("a password under the server's own key passes as it is") {
        connect_fsm fsm({a_key(), 65536});
        reach(fsm);
        const auto under_servers = encrypted(servers_key().public_pem(), "secret");
        CHECK(only_payload(play(fsm, {{from::client, under_servers, 3}}).by_server, 3) == under_servers);
    }
    SECTION("the server sends an ERR instead of its key") {
        connect_fsm fsm({a_key(), 65536});
        reach(fsm);
        (void)play(fsm, {{from::client, encrypted(a_key()->public_pem(), "x"), 3}});
        const auto all = play(fsm, {{from::server, "\xff\x15\x04#28000no", 4}});
        CHECK(only_payload(all.by_client, 4) == "\xff\x15\x04#28000no");
        CHECK(fsm.state() == login_state::refused);
    }
    SECTION("the server sends no key") {
        connect_fsm fsm({a_key(), 65536});
        reach(fsm);
        (void)play(fsm, {{from::client, encrypted(a_key()->public_pem(), "x"), 3}});
        const auto all = play(fsm, {{from::server, "\x01 this is no key", 4}});
        CHECK(fsm.state() == login_state::failed);
        CHECK(protocol::parse_err(protocol::as_bytes(only_payload(all.by_client, 4)))->code == 1043);
        CHECK(all.by_server.empty());
    }
}

TEST_CASE("switches of the plugin and unknown plugins are passed on blindly") {
    connect_fsm fsm({a_key(), 65536});
    auto lines = fast_login();
    lines.resize(2);
    (void)play(fsm, lines);
    const std::vector<spoken> exchange{
        {from::server, std::string("\xfe") + "dialog" + std::string("\0whatever", 9), 2},
        {from::client, "an answer", 3},
        {from::server, "\x01\x04", 4},  // means something in another plugin only
        {from::client, "\x02", 5},
        {from::server, "\x07 unknown", 6},
        {from::client, "", 7},
        {from::server, std::string("\x02next_factor\0data", 17), 8},
        {from::client, "one more", 9},
    };
    for (const auto& line : exchange) {
        const auto all = play(fsm, {line});
        const auto& passed = line.who == from::server ? all.by_client : all.by_server;
        CHECK(only_payload(passed, line.sequence) == line.payload);
        CHECK((line.who == from::server ? all.by_server : all.by_client).empty());
    }
    (void)play(fsm, {{from::server, "\xff\x15\x04#28000no", 10}});
    CHECK(fsm.state() == login_state::refused);
}

TEST_CASE("an ERR in the greeting's place is passed on as it is") {
    connect_fsm fsm({a_key(), 65536});
    const std::string too_many("\xff\x10\x04Too many connections");
    CHECK(only_payload(play(fsm, {{from::server, too_many, 0}}).by_client, 0) == too_many);
    CHECK(fsm.state() == login_state::refused);
    byte_buffer nothing;
    CHECK_FALSE(fsm.abandon(nothing));
}

TEST_CASE("what is no login fails with a word to the client") {
    struct {
        const char* name;
        from who;
        std::string bytes;
        bool greeted;
        std::uint16_t code;
    } const cases[] = {
        {"the server greets in another protocol", from::server,
         protocol::to_string(framed("\x09"
                                    "3.21",
                                    0)),
         false, 1043},
        {"the server's greeting is cut", from::server,
         protocol::to_string(framed("\x0a"
                                    "9.7",
                                    0)),
         false, 1043},
        {"the server greets without end", from::server, std::string("\xff\xff\xff\0", 4), false, 1043},
        {"the client speaks first", from::client, "x", false, 1043},
        {"an empty answer", from::client, protocol::to_string(framed("", 1)), true, 1043},
        {"garbage", from::client, protocol::to_string(framed("\r\n\r\n", 1)), true, 1043},
        {"too large", from::client, std::string("\x01\x10\0\x01", 4), true, 1153},
    };
    for (const auto& c : cases) {
        INFO(c.name);
        connect_fsm fsm({a_key(), 4096});
        if (c.greeted) (void)play(fsm, {{from::server, payload_of(greeting_of()), 0}});
        heard all;
        const auto bytes = protocol::as_bytes(c.bytes);
        const auto used = c.who == from::server ? fsm.on_server(bytes, all.by_client, all.by_server)
                                                : fsm.on_client(bytes, all.by_client, all.by_server);
        CHECK(used == bytes.size());
        CHECK(fsm.state() == login_state::failed);
        CHECK_FALSE(fsm.failure().empty());
        protocol::packet_assembler said(4096);
        REQUIRE(said.feed(all.by_client).has_value());
        CHECK(protocol::parse_err(said.payload())->code == c.code);
        // The server still waits for an answer to its greeting, and gets one.
        byte_buffer polite;
        CHECK(fsm.abandon(polite) == c.greeted);
    }
}

TEST_CASE("a login that is given up is told to the server until it has answered") {
    for (const bool switches : {false, true}) {
        connect_fsm fsm({a_key(), 65536});
        (void)play(fsm, {{from::server, payload_of(greeting_of()), 0}});
        byte_buffer to_server;
        REQUIRE(fsm.abandon(to_server));
        const auto response = protocol::parse_handshake_response(protocol::as_bytes(only_payload(to_server, 1)));
        REQUIRE(response.has_value());
        CHECK(response->auth_response.empty());
        CHECK_FALSE(response->user.empty());
        std::uint8_t sequence = 2;
        if (switches) {
            const auto all = play(fsm, {{from::server, std::string("\xfesome_plugin\0x", 14), sequence++}});
            CHECK(only_payload(all.by_server, sequence++).empty());
            CHECK(fsm.state() == login_state::abandoning);
        }
        CHECK(play(fsm, {{from::server, "\xff\x15\x04#28000denied", sequence}}).by_client.empty());
        CHECK(fsm.state() == login_state::abandoned);
    }
}

TEST_CASE("COM_CHANGE_USER runs the exchange again") {
    connect_fsm fsm({a_key(), 65536});
    (void)play(fsm, fast_login());
    protocol::change_user change;
    change.user = "other";
    change.database = "elsewhere";
    change.character_set = 28;
    change.auth_plugin = std::string(protocol::caching_sha2_plugin);
    byte_buffer payload;
    protocol::serialise(payload, change, fsm.facts().capabilities);
    heard begun;
    fsm.begin_change_user(payload, begun.by_client, begun.by_server);
    CHECK(fsm.state() == login_state::exchange);
    CHECK(begun.by_client.empty());
    CHECK(only_payload(begun.by_server, 0) == protocol::to_string(payload));
    (void)play(fsm, {{from::server, "\x01\x04", 1}});
    const auto answered = play(fsm, {{from::client, "\x02", 2}});
    CHECK(only_payload(answered.by_client, 3) == "\x01" + a_key()->public_pem());
    (void)play(fsm, {{from::client, encrypted(a_key()->public_pem(), "secret"), 4}});
    (void)play(fsm, {{from::server, "\x01" + servers_key().public_pem(), 3}});
    const auto last = play(fsm, {{from::server, std::string("\0\0\0\2\0\0\0", 7), 5}});
    CHECK(fsm.state() == login_state::done);
    (void)only_payload(last.by_client, 5);
    CHECK(fsm.facts().user == "other");
    CHECK(fsm.facts().schema == "elsewhere");
    CHECK(fsm.facts().collation_id == 28);
}

}  // namespace
}  // namespace sluice::session

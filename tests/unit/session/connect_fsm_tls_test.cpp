// Which side goes over to TLS, when, and what must not happen around it.

#include "proxy/session/capability_filter.hpp"
#include "tests/unit/session/login_script.hpp"

namespace sluice::session {
namespace {

constexpr auto flags = modern | capability::connect_with_db;

std::string ssl_request() {
    protocol::ssl_request request;
    request.capabilities = flags | capability::ssl;
    request.character_set = 45;
    return payload_of(request);
}

login_rules rules_of(tls_rule client, tls_rule server, bool client_is_local = false, bool server_is_local = false) {
    login_rules rules;
    rules.rsa_key = a_key();
    rules.client_tls = client;
    rules.server_tls = server;
    rules.client_is_local = client_is_local;
    rules.server_is_local = server_is_local;
    return rules;
}

const auto with_tls = capability::mysql_mask;
const auto without_tls = capability::mysql_mask & ~capability::ssl;

bool offers_tls(const heard& all) {
    const auto greeting = protocol::parse_server_greeting(protocol::as_bytes(only_payload(all.by_client, 0)));
    REQUIRE(greeting.has_value());
    return protocol::has(greeting->capabilities, capability::ssl);
}

TEST_CASE("rules of both sides, the server's offer and the client's wish decide about TLS") {
    enum class ending : std::uint8_t { plain, server_tls, refused, no_offer, fails_at_greeting };
    struct row {
        tls_rule client, server;
        bool server_has_it, client_wants_it, client_is_local, server_is_local;
        ending end;
    };
    constexpr auto off = tls_rule::disabled;
    constexpr auto may = tls_rule::preferred;
    constexpr auto must = tls_rule::required;
    constexpr auto follows = tls_rule::as_client;
    const row rows[] = {
        {off, off, true, false, false, false, ending::plain},
        {off, off, true, true, false, false, ending::no_offer},
        {off, may, true, false, false, false, ending::server_tls},
        {off, may, false, false, false, false, ending::plain},
        {off, may, true, false, false, true, ending::plain},  // a Unix socket is secure as it is
        {off, must, true, false, false, true, ending::server_tls},
        {off, must, false, false, false, false, ending::fails_at_greeting},
        {off, follows, true, false, false, false, ending::plain},
        {may, off, true, true, false, false, ending::plain},
        {may, off, false, true, false, false, ending::plain},  // the server's flag has no say in the client's side
        {may, off, false, false, false, false, ending::plain},
        {may, must, true, false, false, false, ending::server_tls},
        {may, must, true, true, false, false, ending::server_tls},
        {may, follows, true, true, false, false, ending::server_tls},
        {may, follows, true, false, false, false, ending::plain},
        {may, follows, false, true, false, false, ending::no_offer},
        {may, follows, false, false, false, false, ending::plain},
        {must, off, true, true, false, false, ending::plain},
        {must, off, true, false, false, false, ending::refused},
        {must, off, true, false, true, false, ending::plain},
        {must, may, true, false, false, false, ending::refused},
        {must, follows, false, true, false, false, ending::fails_at_greeting},
        {must, follows, false, false, true, false, ending::plain},
    };
    for (const auto& r : rows) {
        INFO("client " << static_cast<int>(r.client) << ", server " << static_cast<int>(r.server) << ", has "
                       << r.server_has_it << ", wants " << r.client_wants_it << ", local " << r.client_is_local << " "
                       << r.server_is_local);
        connect_fsm fsm(rules_of(r.client, r.server, r.client_is_local, r.server_is_local));
        const auto greeted =
            play(fsm, {{from::server, payload_of(greeting_of(r.server_has_it ? with_tls : without_tls)), 0}});
        if (r.end == ending::fails_at_greeting) {
            CHECK(fsm.state() == login_state::failed);
            CHECK(protocol::parse_err(protocol::as_bytes(only_payload(greeted.by_client, 0)))->code == 1429);
            byte_buffer polite;
            CHECK(fsm.abandon(polite));
            continue;
        }
        std::uint8_t sequence = 1;
        if (r.client_wants_it) {
            CHECK(offers_tls(greeted) == (r.end != ending::no_offer));
            const auto asked = play(fsm, {{from::client, ssl_request(), sequence++}});
            if (r.end == ending::no_offer) {
                CHECK(fsm.state() == login_state::failed);
                continue;
            }
            CHECK(asked == heard{});
            REQUIRE(fsm.state() == login_state::client_tls);
            fsm.on_client_secured();
            CHECK(fsm.facts().client_has_tls);
        }
        const auto answered = play(fsm, {{from::client, response_of(flags), sequence}});
        if (r.end == ending::refused) {
            CHECK(fsm.state() == login_state::failed);
            const auto err = protocol::parse_err(protocol::as_bytes(only_payload(answered.by_client, 2)));
            CHECK(err->code == 3159);
            CHECK(err->sqlstate == "HY000");
            CHECK(answered.by_server.empty());
            continue;
        }
        byte_buffer to_server = answered.by_server;
        std::uint8_t server_sequence = 1;
        if (r.end == ending::server_tls) {
            REQUIRE(fsm.state() == login_state::server_tls);
            const auto request = protocol::parse_ssl_request(protocol::as_bytes(only_payload(to_server, 1)));
            REQUIRE(request.has_value());
            CHECK(request->capabilities == (flags | capability::ssl));
            CHECK(request->character_set == 255);
            heard after;
            fsm.on_server_secured(after.by_client, after.by_server);
            CHECK(after.by_client.empty());
            to_server = after.by_server;
            server_sequence = 2;
        }
        CHECK(fsm.facts().server_has_tls == (r.end == ending::server_tls));
        const auto response =
            protocol::parse_handshake_response(protocol::as_bytes(only_payload(to_server, server_sequence)));
        REQUIRE(response.has_value());
        CHECK(protocol::has(response->capabilities, capability::ssl) == (r.end == ending::server_tls));
        CHECK((response->capabilities & ~capability::ssl) == flags);
        CHECK(fsm.facts().capabilities == flags);
        CHECK(response->user == "app");
        const auto ok = std::string("\0\0\0\2\0\0\0", 7);
        const auto last = play(fsm, {{from::server, ok, static_cast<std::uint8_t>(server_sequence + 1)}});
        CHECK(fsm.state() == login_state::done);
        CHECK(only_payload(last.by_client, static_cast<std::uint8_t>(sequence + 1)) == ok);
    }
}

TEST_CASE("so much is read of a client that what follows its request stays for TLS") {
    connect_fsm fsm(rules_of(tls_rule::preferred, tls_rule::disabled));
    (void)play(fsm, {{from::server, payload_of(greeting_of()), 0}});
    CHECK(fsm.client_bytes_max() == 36);
    const auto request = framed(ssl_request(), 1);
    heard nothing;
    for (std::size_t at = 0; at < request.size(); ++at) {
        CHECK(fsm.client_bytes_max() == request.size() - at);
        CHECK(fsm.on_client(byte_view(request).subspan(at, 1), nothing.by_client, nothing.by_server) == 1);
    }
    REQUIRE(fsm.state() == login_state::client_tls);
    fsm.on_client_secured();
    CHECK(fsm.client_bytes_max() == SIZE_MAX);

    connect_fsm plain(rules_of(tls_rule::preferred, tls_rule::disabled));
    (void)play(plain, {{from::server, payload_of(greeting_of()), 0}});
    const auto response = framed(response_of(flags), 1);
    (void)plain.on_client(byte_view(response).first(36), nothing.by_client, nothing.by_server);
    CHECK(plain.client_bytes_max() == SIZE_MAX);
}

TEST_CASE("plain bytes behind a request for TLS are refused, whole packets and parts of them") {
    for (const auto& more : {framed(response_of(flags), 2), byte_buffer(1, std::byte{0x16})}) {
        for (const bool at_once : {true, false}) {
            connect_fsm fsm(rules_of(tls_rule::preferred, tls_rule::disabled));
            (void)play(fsm, {{from::server, payload_of(greeting_of()), 0}});
            heard all;
            const auto request = framed(ssl_request(), 1);
            if (at_once) {
                (void)fsm.on_client(request + more, all.by_client, all.by_server);
            } else {
                (void)fsm.on_client(request, all.by_client, all.by_server);
                (void)fsm.on_client(more, all.by_client, all.by_server);
            }
            CHECK(fsm.state() == login_state::failed);
            CHECK(all.by_server.empty());
            CHECK(protocol::parse_err(protocol::as_bytes(only_payload(all.by_client, 2)))->code == 1043);
        }
    }
}

TEST_CASE("plain bytes of a server that is to speak TLS are refused") {
    SECTION("a part of a packet behind its greeting") {
        connect_fsm fsm(rules_of(tls_rule::disabled, tls_rule::required));
        heard all;
        (void)fsm.on_server(framed(payload_of(greeting_of()), 0) + byte_buffer(3), all.by_client, all.by_server);
        const auto said = play(fsm, {{from::client, response_of(flags), 1}});
        CHECK(fsm.state() == login_state::failed);
        CHECK(said.by_server.empty());
    }
    SECTION("an OK in place of the handshake") {
        connect_fsm fsm(rules_of(tls_rule::disabled, tls_rule::required));
        (void)play(fsm, {{from::server, payload_of(greeting_of()), 0}, {from::client, response_of(flags), 1}});
        REQUIRE(fsm.state() == login_state::server_tls);
        const auto said = play(fsm, {{from::server, std::string("\0\0\0\2\0\0\0", 7), 2}});
        CHECK(fsm.state() == login_state::failed);
        CHECK(protocol::parse_err(protocol::as_bytes(only_payload(said.by_client, 2)))->code == 1043);
        byte_buffer polite;
        CHECK_FALSE(fsm.abandon(polite));
    }
}

TEST_CASE("a login that ends during a handshake") {
    SECTION("the client's: it could not read a word, and the server is told") {
        connect_fsm fsm(rules_of(tls_rule::preferred, tls_rule::disabled));
        (void)play(fsm, {{from::server, payload_of(greeting_of()), 0}, {from::client, ssl_request(), 1}});
        byte_buffer to_client;
        fsm.fail({1159, "08S01", "out of time"}, to_client);
        CHECK(to_client.empty());
        CHECK(fsm.failure() == "out of time");
        byte_buffer polite;
        CHECK(fsm.abandon(polite));
    }
    SECTION("the server's: the client is told, in its own numbering") {
        connect_fsm fsm(rules_of(tls_rule::preferred, tls_rule::required));
        (void)play(fsm, {{from::server, payload_of(greeting_of()), 0}, {from::client, ssl_request(), 1}});
        fsm.on_client_secured();
        (void)play(fsm, {{from::client, response_of(flags), 2}});
        byte_buffer to_client;
        fsm.fail({1429, "HY000", "no"}, to_client);
        CHECK(protocol::parse_err(protocol::as_bytes(only_payload(to_client, 3)))->sqlstate == "HY000");
    }
    SECTION("what the client says meanwhile waits") {
        connect_fsm fsm(rules_of(tls_rule::disabled, tls_rule::required));
        (void)play(fsm, {{from::server, payload_of(greeting_of()), 0}, {from::client, response_of(flags), 1}});
        heard all;
        CHECK(fsm.on_client(framed("early", 2), all.by_client, all.by_server) == 0);
        CHECK(all == heard{});
    }
}

std::string sha256_response(const std::string& data) {
    protocol::handshake_response response;
    response.capabilities = flags | capability::plugin_auth_lenenc_data;
    response.user = "app";
    response.auth_response = data;
    response.auth_plugin = "sha256_password";
    return payload_of(response);
}

std::string auth_response_in(const byte_buffer& bytes, std::uint8_t sequence) {
    return protocol::parse_handshake_response(protocol::as_bytes(only_payload(bytes, sequence)))->auth_response;
}

TEST_CASE("a password in the client's first answer is carried over before that goes to the server") {
    const std::string clear = std::string("secret") + '\0';
    SECTION("in clear under TLS, to a plain server") {
        connect_fsm fsm(rules_of(tls_rule::preferred, tls_rule::disabled));
        (void)play(fsm, {{from::server, payload_of(greeting_of()), 0}, {from::client, ssl_request(), 1}});
        fsm.on_client_secured();
        const auto said = play(fsm, {{from::client, sha256_response(clear), 2}});
        CHECK(said.by_client.empty());
        CHECK(auth_response_in(said.by_server, 1) == "\x01");
        const auto keyed = play(fsm, {{from::server, "\x01" + servers_key().public_pem(), 2}});
        CHECK(keyed.by_client.empty());
        const auto masked = servers_key().decrypt(only_payload(keyed.by_server, 3));
        CHECK(protocol::unmask_password(*masked, scramble).value() == "secret");
    }
    SECTION("asked for under a key, to a server under TLS") {
        connect_fsm fsm(rules_of(tls_rule::disabled, tls_rule::required));
        (void)play(fsm, {{from::server, payload_of(greeting_of()), 0}, {from::client, sha256_response("\x01"), 1}});
        heard secured;
        fsm.on_server_secured(secured.by_client, secured.by_server);
        CHECK(secured.by_server.empty());
        CHECK(only_payload(secured.by_client, 2) == "\x01" + a_key()->public_pem());
        const auto sent = play(fsm, {{from::client, encrypted(a_key()->public_pem(), "secret"), 3}});
        CHECK(auth_response_in(sent.by_server, 2) == clear);
        const auto last = play(fsm, {{from::server, std::string("\0\0\0\2\0\0\0", 7), 3}});
        CHECK(fsm.state() == login_state::done);
        (void)only_payload(last.by_client, 4);
    }
    SECTION("given up while it waits: the server is told under TLS") {
        connect_fsm fsm(rules_of(tls_rule::disabled, tls_rule::required));
        (void)play(fsm, {{from::server, payload_of(greeting_of()), 0}, {from::client, sha256_response("\x01"), 1}});
        heard secured;
        fsm.on_server_secured(secured.by_client, secured.by_server);
        byte_buffer polite;
        CHECK(fsm.abandon(polite));
        CHECK(auth_response_in(polite, 2).empty());
    }
}

TEST_CASE("factors and plugins are relayed, each with its own scramble") {
    connect_fsm fsm(rules_of(tls_rule::disabled, tls_rule::disabled));
    (void)play(fsm, {{from::server, payload_of(greeting_of()), 0}, {from::client, response_of(flags), 1}});
    const std::string second = "98765432109876543210";
    const auto relayed = [&](from who, const std::string& payload, std::uint8_t sequence) {
        const auto all = play(fsm, {{who, payload, sequence}});
        CHECK(only_payload(who == from::server ? all.by_client : all.by_server, sequence) == payload);
        CHECK((who == from::server ? all.by_server : all.by_client).empty());
    };
    relayed(from::server, std::string("\x02") + "auth_first" + '\0' + "challenge", 2);
    relayed(from::client, "assertion", 3);
    relayed(from::server, std::string("\x02") + "caching_sha2_password" + '\0' + second + '\0', 4);
    relayed(from::client, std::string(32, 'd'), 5);
    relayed(from::server, "\x01\x04", 6);
    const auto masked =
        *protocol::rsa_public_key::from_pem(a_key()->public_pem())->encrypt(protocol::mask_password("third", second));
    CHECK(only_payload(play(fsm, {{from::client, masked, 7}}).by_server, 7) == "\x02");
    const auto keyed = play(fsm, {{from::server, "\x01" + servers_key().public_pem(), 8}});
    CHECK(protocol::unmask_password(*servers_key().decrypt(only_payload(keyed.by_server, 9)), second).value() ==
          "third");
    (void)play(fsm, {{from::server, std::string("\0\0\0\2\0\0\0", 7), 10}});
    CHECK(fsm.state() == login_state::done);
}

TEST_CASE("a further factor in clear does not leave TLS for a plain server") {
    const auto ok = std::string("\0\0\0\2\0\0\0", 7);
    const std::string err("\xFF\x15\x04#28000no");
    for (const bool client_tls : {false, true}) {
        for (const bool server_tls : {false, true}) {
            for (const auto& verdict : {ok, err}) {
                INFO("client " << client_tls << ", server " << server_tls << ", right " << (verdict == ok));
                connect_fsm fsm(rules_of(tls_rule::preferred, server_tls ? tls_rule::required : tls_rule::disabled));
                (void)play(fsm, {{from::server, payload_of(greeting_of()), 0}});
                std::uint8_t of_client = 1;
                std::uint8_t of_server = 1;
                if (client_tls) {
                    (void)play(fsm, {{from::client, ssl_request(), of_client++}});
                    fsm.on_client_secured();
                }
                (void)play(fsm, {{from::client, response_of(flags), of_client++}});
                if (server_tls) {
                    heard secured;
                    fsm.on_server_secured(secured.by_client, secured.by_server);
                    ++of_server;
                }
                ++of_server;
                const auto next = payload_of(protocol::auth_next_factor{"mysql_clear_password", ""});
                (void)play(fsm, {{from::server, "\x01\x03", of_server++}, {from::server, next, of_server++}});
                of_client += 2;
                const auto secret = std::string("second") + '\0';
                const auto said = play(fsm, {{from::client, secret, of_client++}});
                if (client_tls && !server_tls) {
                    CHECK(fsm.state() == login_state::failed);
                    CHECK(said.by_server.empty());
                    CHECK(protocol::parse_err(protocol::as_bytes(only_payload(said.by_client, of_client)))->code ==
                          1043);
                    continue;
                }
                CHECK(only_payload(said.by_server, of_server++) == secret);
                CHECK(said.by_client.empty());
                const auto last = play(fsm, {{from::server, verdict, of_server}});
                CHECK(only_payload(last.by_client, of_client) == verdict);
                CHECK(fsm.state() == (verdict == ok ? login_state::done : login_state::refused));
            }
        }
    }
}

TEST_CASE("a client that nobody has asked waits") {
    connect_fsm fsm(rules_of(tls_rule::disabled, tls_rule::disabled));
    (void)play(fsm, {{from::server, payload_of(greeting_of()), 0}, {from::client, response_of(flags), 1}});
    heard all;
    const auto early = framed("early", 0);
    CHECK(fsm.on_client(early, all.by_client, all.by_server) == 0);
    (void)play(fsm, {{from::server, "\x01\x03", 2}});
    CHECK(fsm.on_client(early, all.by_client, all.by_server) == 0);
    (void)play(fsm, {{from::server, std::string("\0\0\0\2\0\0\0", 7), 3}});
    CHECK(fsm.state() == login_state::done);
    CHECK(all == heard{});
}

}  // namespace
}  // namespace sluice::session

#include "proxy/session/password_exchange.hpp"
#include "tests/unit/session/login_script.hpp"

namespace sluice::session {
namespace {

using kind = password_step::kind;
constexpr transport_kind every_transport[] = {transport_kind::plain, transport_kind::local, transport_kind::tls};

const std::string clear_secret = std::string("secret") + '\0';

struct flow {
    const char* plugin;
    std::string asks_for_key;
    bool local_is_secure;

    [[nodiscard]] bool secure(transport_kind t) const {
        return t == transport_kind::tls || (t == transport_kind::local && local_is_secure);
    }
};
const flow flows[] = {{"caching_sha2_password", "\x02", true}, {"sha256_password", "\x01", false}};

password_exchange begun(const flow& f, transport_kind client, transport_kind server) {
    password_exchange exchange(a_key());
    exchange.set_transports(client, server);
    exchange.begin(f.plugin, scramble);
    if (f.local_is_secure) {
        // Its digest passes, whatever it looks like; then the server asks for the password itself.
        CHECK(exchange.on_client("\x02").what == kind::pass);
        CHECK(exchange.on_more_data("\x04").what == kind::pass);
    }
    return exchange;
}

// What the server has understood in the end; the exchange has just been told what the client sent.
std::string understood(const flow& f, password_exchange& exchange, const password_step& step, bool server_secure,
                       const std::string& sent) {
    if (server_secure) {
        const auto arrived = step.what == kind::pass ? sent : step.payload;
        REQUIRE(arrived.ends_with('\0'));
        return arrived.substr(0, arrived.size() - 1);
    }
    REQUIRE(step.what == kind::to_server);
    REQUIRE(step.payload == f.asks_for_key);
    const auto keyed = exchange.on_more_data(servers_key().public_pem());
    REQUIRE(keyed.what == kind::to_server);
    return *protocol::unmask_password(*servers_key().decrypt(keyed.payload), scramble);
}

TEST_CASE("a password arrives over every pair of transports, in clear or under a key") {
    for (const auto& f : flows) {
        for (const auto client : every_transport) {
            for (const auto server : every_transport) {
                INFO(f.plugin << " " << static_cast<int>(client) << " to " << static_cast<int>(server));
                if (f.secure(client)) {
                    auto exchange = begun(f, client, server);
                    const auto step = exchange.on_client(clear_secret);
                    CHECK(understood(f, exchange, step, f.secure(server), clear_secret) == "secret");
                }
                for (const bool asks : {true, false}) {
                    if (f.secure(client) && !asks) continue;
                    auto exchange = begun(f, client, server);
                    if (asks) {
                        const auto key = exchange.on_client(f.asks_for_key);
                        REQUIRE(key.what == kind::to_client);
                        CHECK(key.payload == a_key()->public_pem());
                    }
                    const auto sent = encrypted(a_key()->public_pem(), "secret");
                    const auto step = exchange.on_client(sent);
                    CHECK(understood(f, exchange, step, f.secure(server), sent) == "secret");
                }
            }
        }
    }
}

TEST_CASE("a password that Sluice cannot read passes to a server that can, and to no other") {
    const auto under_servers = encrypted(servers_key().public_pem(), "secret");
    const auto other_scramble = *protocol::rsa_public_key::from_pem(a_key()->public_pem())
                                     ->encrypt(protocol::mask_password("secret", "another scramble!!!!"));
    for (const auto& f : flows) {
        for (const auto server : every_transport) {
            INFO(f.plugin << " to " << static_cast<int>(server));
            auto exchange = begun(f, transport_kind::plain, server);
            const auto step = exchange.on_client(under_servers);
            CHECK(step.what == (f.secure(server) ? kind::fail : kind::pass));
            if (step.what == kind::fail) CHECK_THAT(step.payload, Catch::Matchers::Contains("rsa_public_key_file"));
            auto confused = begun(f, transport_kind::plain, server);
            CHECK(confused.on_client(other_scramble).what == (f.secure(server) ? kind::fail : kind::to_server));
        }
    }
}

TEST_CASE("empty passwords of sha256_password pass as they are") {
    for (const auto client : every_transport) {
        for (const auto server : every_transport) {
            for (const auto& sent : {std::string(), std::string(1, '\0')}) {
                auto exchange = begun(flows[1], client, server);
                CHECK(exchange.on_client(sent).what == kind::pass);
            }
        }
    }
}

TEST_CASE("a password in clear does not leave a secure transport for a plain one") {
    for (const auto client : every_transport) {
        for (const auto server : every_transport) {
            INFO(static_cast<int>(client) << " to " << static_cast<int>(server));
            password_exchange exchange(a_key());
            exchange.set_transports(client, server);
            exchange.begin("mysql_clear_password", "");
            const bool lost = client != transport_kind::plain && server == transport_kind::plain;
            CHECK(exchange.on_client(clear_secret).what == (lost ? kind::fail : kind::pass));
            exchange.begin("mysql_clear_password", "");
            CHECK(exchange.on_client(std::string(1, '\0')).what == kind::pass);
            // A dialog has as many answers as the server has questions, and the password may be any of them.
            exchange.begin("dialog", "");
            CHECK(exchange.on_client(std::string(1, '\0')).what == kind::pass);
            CHECK(exchange.on_client(clear_secret).what == (lost ? kind::fail : kind::pass));
            // A token is as good as a password to whoever hears it.
            exchange.begin("authentication_openid_connect_client", "");
            CHECK(exchange.on_client("\1\6a.b.c;").what == (lost ? kind::fail : kind::pass));
        }
    }
}

TEST_CASE("what a malformed password or key brings about") {
    SECTION("a password in clear without its end, for a plain server") {
        auto exchange = begun(flows[0], transport_kind::tls, transport_kind::plain);
        CHECK(exchange.on_client("secret").what == kind::fail);
    }
    SECTION("no scramble to mask it with") {
        password_exchange exchange(a_key());
        exchange.set_transports(transport_kind::tls, transport_kind::plain);
        exchange.begin("sha256_password", "");
        CHECK(exchange.on_client(clear_secret).what == kind::fail);
    }
    SECTION("the server's key is none") {
        auto exchange = begun(flows[0], transport_kind::tls, transport_kind::plain);
        CHECK(exchange.on_client(clear_secret).what == kind::to_server);
        CHECK(exchange.on_more_data("no key").what == kind::fail);
    }
    SECTION("a password that is too long for the key") {
        auto exchange = begun(flows[0], transport_kind::tls, transport_kind::plain);
        CHECK(exchange.on_client(std::string(300, 'x') + '\0').what == kind::to_server);
        CHECK(exchange.on_more_data(servers_key().public_pem()).what == kind::fail);
    }
    SECTION("another plugin is asked for in the place of the key: what was to be sent is forgotten") {
        auto exchange = begun(flows[1], transport_kind::tls, transport_kind::plain);
        CHECK(exchange.on_client(clear_secret).what == kind::to_server);
        exchange.begin("mysql_native_password", scramble);
        CHECK(exchange.on_more_data(servers_key().public_pem()).what == kind::pass);
    }
}

TEST_CASE("who speaks next after a step of caching_sha2_password") {
    password_exchange exchange(a_key());
    exchange.begin("caching_sha2_password", scramble);
    CHECK(exchange.on_more_data("\x03").what == kind::pass);
    CHECK(exchange.awaits_server());
    CHECK(exchange.on_more_data("\x04").what == kind::pass);
    CHECK_FALSE(exchange.awaits_server());
    exchange.begin("dialog", "");
    CHECK(exchange.on_more_data("\x03").what == kind::pass);
    CHECK_FALSE(exchange.awaits_server());
}

}  // namespace
}  // namespace sluice::session

// What of compression is agreed with each side, and what the other side sees of it.

#include "proxy/session/connect_fsm.hpp"
#include "tests/unit/session/packets.hpp"

#include <string>

namespace sluice::session {
namespace {

using protocol::compression_algorithm;
constexpr auto zlib_flag = capability::compress;
constexpr auto zstd_flag = capability::zstd_compression;
constexpr auto both_flags = zlib_flag | zstd_flag;
constexpr auto base = capability::protocol_41 | capability::secure_connection | capability::plugin_auth |
                      capability::plugin_auth_lenenc_data;

struct login {
    compression_rules rules;
    capability_flags server = base | both_flags;
    capability_flags client = base;
    std::optional<std::uint8_t> level{};
};

struct outcome {
    login_state state = login_state::greeting;
    login_facts facts;
    capability_flags offered = 0;
    std::optional<protocol::handshake_response> sent;
    std::optional<protocol::err_packet> error;
};

outcome play(const login& given) {
    static const auto key = std::make_shared<const protocol::rsa_key_pair>(*protocol::rsa_key_pair::generate());
    login_rules rules;
    rules.rsa_key = key;
    rules.compression = given.rules;
    connect_fsm fsm(rules);
    protocol::server_greeting greeting;
    greeting.server_version = "9.7.0";
    greeting.capabilities = given.server;
    greeting.auth_data = std::string(20, 's') + std::string(1, '\0');
    greeting.auth_plugin = "p";
    byte_buffer payload, to_client, to_server;
    protocol::serialise(payload, greeting);
    (void)fsm.on_server(framed(protocol::as_text(payload), 0), to_client, to_server);
    outcome all;
    all.offered = protocol::parse_server_greeting(byte_view(to_client).subspan(4))->capabilities;
    to_client.clear();

    protocol::handshake_response response;
    response.capabilities = given.client;
    response.user = "app";
    response.auth_response = "x";
    response.auth_plugin = "p";
    response.has_zstd_level = given.level.has_value();
    response.zstd_level = given.level.value_or(0);
    payload.clear();
    protocol::serialise(payload, response);
    (void)fsm.on_client(framed(protocol::as_text(payload), 1), to_client, to_server);
    if (!to_server.empty()) all.sent = *protocol::parse_handshake_response(byte_view(to_server).subspan(4));
    if (!to_client.empty()) all.error = *protocol::parse_err(byte_view(to_client).subspan(4));
    all.state = fsm.state();
    all.facts = fsm.facts();
    return all;
}

constexpr compression_rules offering(bool zlib, bool zstd) { return {.offers_zlib = zlib, .offers_zstd = zstd}; }
constexpr compression_rules asking(compression_algorithm algorithm, int level = 3) {
    return {.to_server = algorithm, .server_zstd_level = level};
}

TEST_CASE("clients are offered what the rules say, whatever the server has") {
    for (const auto server : {base, base | zlib_flag, base | both_flags}) {
        for (const bool zlib : {false, true}) {
            for (const bool zstd : {false, true}) {
                CAPTURE(server, zlib, zstd);
                const auto all = play({.rules = offering(zlib, zstd), .server = server});
                CHECK((all.offered & both_flags) == ((zlib ? zlib_flag : 0) | (zstd ? zstd_flag : 0)));
                CHECK(all.facts.client_compression == compression_algorithm::none);
                CHECK_FALSE(all.facts.is_compressed());
                REQUIRE(all.sent);
                CHECK((all.sent->capabilities & both_flags) == 0);
            }
        }
    }
}

TEST_CASE("of what was offered the client chooses, and zlib goes first") {
    struct row {
        compression_rules rules;
        capability_flags client;
        compression_algorithm chosen;
    };
    const row rows[] = {
        {offering(true, true), zlib_flag, compression_algorithm::zlib},
        {offering(true, true), zstd_flag, compression_algorithm::zstd},
        {offering(true, true), both_flags, compression_algorithm::zlib},
        {offering(false, true), both_flags, compression_algorithm::zstd},
        {offering(true, false), both_flags, compression_algorithm::zlib},
        {offering(true, false), zstd_flag, compression_algorithm::none},
        {offering(false, false), both_flags, compression_algorithm::none},
    };
    for (const auto& [rules, client, chosen] : rows) {
        CAPTURE(rules.offers_zlib, rules.offers_zstd, client);
        const auto all = play({.rules = rules, .client = base | client, .level = 7});
        CHECK(all.state == login_state::exchange);
        CHECK(all.facts.client_compression == chosen);
        if (chosen == compression_algorithm::zstd) CHECK(all.facts.client_zstd_level == 7);
        CHECK((all.facts.capabilities & both_flags) == 0);
        // The server hears nothing of it.
        REQUIRE(all.sent);
        CHECK((all.sent->capabilities & both_flags) == 0);
        CHECK(all.sent->trailing.empty());
    }
}

TEST_CASE("a zstd level that does not exist is refused as the server does") {
    for (const auto level : {std::optional<std::uint8_t>(), std::optional<std::uint8_t>(0),
                             std::optional<std::uint8_t>(23), std::optional<std::uint8_t>(255)}) {
        const auto all = play({.rules = offering(true, true), .client = base | zstd_flag, .level = level});
        CHECK(all.state == login_state::failed);
        CHECK_FALSE(all.sent);
        REQUIRE(all.error);
        CHECK(all.error->code == 3923);
    }
    for (const auto level : {std::uint8_t{1}, std::uint8_t{22}}) {
        const auto all = play({.rules = offering(true, true), .client = base | zstd_flag, .level = level});
        CHECK(all.facts.client_zstd_level == level);
        CHECK(all.state == login_state::exchange);
    }
    // Nobody looks at the level where zlib is used.
    CHECK(play({.rules = offering(true, true), .client = base | both_flags, .level = 99}).state ==
          login_state::exchange);
}

TEST_CASE("the server is asked for what the rules say, if it offers that") {
    using enum compression_algorithm;
    struct row {
        compression_algorithm wanted;
        capability_flags server;
        compression_algorithm used;
    };
    const row rows[] = {{none, both_flags, none}, {zlib, both_flags, zlib}, {zlib, zlib_flag, zlib},
                        {zlib, zstd_flag, none},  {zlib, 0, none},          {zstd, both_flags, zstd},
                        {zstd, zlib_flag, none},  {zstd, zstd_flag, zstd}};
    for (const auto& [wanted, server, used] : rows) {
        CAPTURE(protocol::compression_name(wanted), server);
        const auto all = play({.rules = asking(wanted, 19), .server = base | server});
        CHECK(all.facts.server_compression == used);
        CHECK(all.facts.is_compressed() == (used != none));
        CHECK((all.offered & both_flags) == 0);
        REQUIRE(all.sent);
        CHECK((all.sent->capabilities & both_flags) == compression_flag(used));
        if (used == zstd) CHECK(all.sent->zstd_level == 19);
        CHECK((all.facts.capabilities & both_flags) == 0);
    }
}

TEST_CASE("the sides' compression is independent") {
    auto rules = offering(true, true);
    rules.to_server = compression_algorithm::zlib;
    const auto all = play({.rules = rules, .client = base | zstd_flag, .level = 5});
    CHECK(all.facts.client_compression == compression_algorithm::zstd);
    CHECK(all.facts.client_zstd_level == 5);
    CHECK(all.facts.server_compression == compression_algorithm::zlib);
    REQUIRE(all.sent);
    CHECK((all.sent->capabilities & both_flags) == zlib_flag);
    CHECK(all.sent->trailing.empty());
}

}  // namespace
}  // namespace sluice::session

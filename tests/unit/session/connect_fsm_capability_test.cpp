// A client that answers with capabilities which the server did not offer.

#include "proxy/session/connect_fsm.hpp"
#include "tests/unit/session/packets.hpp"

#include <string>

namespace sluice::session {
namespace {

struct answered {
    login_state state = login_state::greeting;
    byte_buffer to_client, to_server;
};

answered login(capability_flags server, capability_flags client, const std::string& auth_response) {
    static const auto key = std::make_shared<const protocol::rsa_key_pair>(*protocol::rsa_key_pair::generate());
    connect_fsm fsm({key, 65536});
    protocol::server_greeting greeting;
    greeting.server_version = "5.5.62";
    greeting.capabilities = server;
    const bool is_long = protocol::has(server, capability::secure_connection);
    greeting.auth_data = std::string(is_long ? 20 : 7, 's') + std::string(1, '\0');
    greeting.auth_plugin = "p";
    protocol::handshake_response response;
    response.capabilities = client;
    response.user = "app";
    response.auth_response = auth_response;
    response.auth_plugin = "p";
    answered all;
    byte_buffer payload;
    protocol::serialise(payload, greeting);
    (void)fsm.on_server(framed(protocol::as_text(payload), 0), all.to_client, all.to_server);
    REQUIRE(fsm.state() == login_state::response);
    all.to_client.clear();
    payload.clear();
    protocol::serialise(payload, response);
    (void)fsm.on_client(framed(protocol::as_text(payload), 1), all.to_client, all.to_server);
    all.state = fsm.state();
    return all;
}

constexpr capability_flags all_flags = capability::mysql_mask;
constexpr capability_flags client_flags = capability::protocol_41 | capability::secure_connection |
                                          capability::plugin_auth | capability::plugin_auth_lenenc_data;

TEST_CASE("an answer that cannot be written without a capability that the server lacks is refused") {
    struct row {
        const char* what;
        capability_flags server_lacks;
        std::string auth_response;
        bool passes;
    };
    const row rows[] = {
        {"long data, all offered", 0, std::string(300, 'x'), true},
        {"long data, no length-encoded data", capability::plugin_auth_lenenc_data, std::string(256, 'x'), false},
        {"data that just fits", capability::plugin_auth_lenenc_data, std::string(255, 'x'), true},
        {"NUL inside, no length at all", capability::plugin_auth_lenenc_data | capability::secure_connection,
         std::string("ab\0cd", 5), false},
        {"no NUL inside, no length at all", capability::plugin_auth_lenenc_data | capability::secure_connection, "abcd",
         true},
        {"NUL inside, with a length", capability::plugin_auth_lenenc_data, std::string("ab\0cd", 5), true},
        {"a server from before 4.1", capability::protocol_41, "abcd", false},
    };
    for (const auto& [what, server_lacks, auth_response, passes] : rows) {
        INFO(what);
        const auto all = login(all_flags & ~server_lacks, client_flags, auth_response);
        if (passes) {
            CHECK(all.state == login_state::exchange);
            CHECK(all.to_client.empty());
            const auto sent = protocol::parse_handshake_response(byte_view(all.to_server).subspan(4));
            REQUIRE(sent);
            CHECK(sent->auth_response == auth_response);
            CHECK(sent->auth_plugin == "p");
        } else {
            CHECK(all.state == login_state::failed);
            CHECK(all.to_server.empty());
            const auto error = protocol::parse_err(byte_view(all.to_client).subspan(4));
            REQUIRE(error);
            CHECK(error->code == 1043);
        }
    }
}

}  // namespace
}  // namespace sluice::session

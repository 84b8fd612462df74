// What connect_fsm tells the server of its client, in the login and in COM_CHANGE_USER.

#include "proxy/session/connect_fsm.hpp"
#include "tests/unit/session/packets.hpp"

namespace sluice::session {
namespace {

using protocol::connect_attributes;

const connect_attributes own{{"_client_ip", "10.0.0.1"}, {"_client_port", "4711"}};
const connect_attributes sent{{"_client_name", "test"}, {"_client_ip", "6.6.6.6"}};
const connect_attributes expected{own[0], own[1], sent[0]};

template <class Message>
byte_buffer framed_message(const Message& message, std::uint8_t sequence) {
    byte_buffer payload;
    serialise(payload, message);
    return framed(protocol::as_text(payload), sequence);
}

/// A login up to the server's OK, and what the server has heard of the client.
struct login {
    login(client_introduction introduction, capability_flags server, capability_flags client)
        : fsm({.rsa_key = std::make_shared<const protocol::rsa_key_pair>(*protocol::rsa_key_pair::generate())}) {
        fsm.set_client(false, std::move(introduction));
        protocol::server_greeting greeting;
        greeting.server_version = "9.7.0";
        greeting.capabilities = server;
        greeting.auth_data = std::string(20, 's') + std::string(1, '\0');
        greeting.auth_plugin = protocol::caching_sha2_plugin;
        (void)fsm.on_server(framed_message(greeting, 0), to_client, to_server);
        protocol::handshake_response response;
        response.capabilities = client;
        response.user = "app";
        response.auth_response = std::string(32, 'a');
        response.auth_plugin = protocol::caching_sha2_plugin;
        response.attributes = protocol::serialise_attributes(sent);
        (void)fsm.on_client(framed_message(response, 1), to_client, to_server);
        const auto heard_payload = byte_view(to_server).subspan(protocol::frame_header_size);
        auto parsed = protocol::parse_handshake_response(heard_payload);
        REQUIRE(parsed.has_value());
        heard = std::move(*parsed);
        (void)fsm.on_server(framed(std::string_view("\0\0\0\2\0\0\0", 7), 2), to_client, to_server);
        REQUIRE(fsm.state() == login_state::done);
        to_server.clear();
    }
    protocol::change_user changed(const protocol::change_user& change, capability_flags client_side,
                                  capability_flags server_side) {
        byte_buffer payload;
        serialise(payload, change, client_side);
        fsm.begin_change_user(payload, to_client, to_server);
        auto parsed =
            protocol::parse_change_user(byte_view(to_server).subspan(protocol::frame_header_size), server_side);
        REQUIRE(parsed.has_value());
        CHECK(parsed->trailing.empty());
        return std::move(*parsed);
    }

    connect_fsm fsm;
    byte_buffer to_client, to_server;
    protocol::handshake_response heard;
};

protocol::change_user to_other() {
    protocol::change_user change;
    change.user = "other";
    change.auth_response = std::string(32, 'b');
    change.character_set = 255;
    change.auth_plugin = protocol::caching_sha2_plugin;
    return change;
}

constexpr auto attrs = capability::connect_attrs;

TEST_CASE("a client's attributes are completed in the login and at COM_CHANGE_USER") {
    login one(client_introduction(own), modern | attrs, modern | attrs);
    CHECK(protocol::has(one.heard.capabilities, attrs));
    CHECK(*protocol::parse_attributes(one.heard.attributes) == expected);
    auto change = to_other();
    change.attributes = protocol::serialise_attributes(sent);
    const auto heard = one.changed(change, modern | attrs, modern | attrs);
    CHECK(heard.user == "other");
    CHECK(heard.auth_response == change.auth_response);
    CHECK(*protocol::parse_attributes(heard.attributes.value()) == expected);
}

TEST_CASE("a client without attributes gets some towards the server only") {
    login one(client_introduction(own), modern | attrs, modern);
    CHECK(protocol::has(one.heard.capabilities, attrs));
    CHECK_FALSE(protocol::has(one.fsm.facts().capabilities, attrs));
    CHECK(*protocol::parse_attributes(one.heard.attributes) == own);
    const auto heard = one.changed(to_other(), modern, modern | attrs);
    CHECK(*protocol::parse_attributes(heard.attributes.value()) == own);
}

TEST_CASE("no attributes are added where they cannot be") {
    login old_server(client_introduction(own), modern, modern | attrs);
    CHECK_FALSE(protocol::has(old_server.heard.capabilities, attrs));
    CHECK_FALSE(old_server.changed(to_other(), modern, modern).attributes.has_value());

    constexpr auto no_plugins = modern & ~capability::plugin_auth;
    login old_client(client_introduction(own), modern | attrs, no_plugins);
    CHECK_FALSE(protocol::has(old_client.heard.capabilities, attrs));
    CHECK_FALSE(old_client.changed(to_other(), no_plugins, no_plugins).attributes.has_value());
}

TEST_CASE("without an introduction the client's attributes stay as they are") {
    login one(client_introduction(), modern | attrs, modern | attrs);
    CHECK(*protocol::parse_attributes(one.heard.attributes) == sent);
    login none(client_introduction(), modern | attrs, modern);
    CHECK_FALSE(protocol::has(none.heard.capabilities, attrs));
    CHECK_FALSE(none.changed(to_other(), modern, modern).attributes.has_value());
}

TEST_CASE("a COM_CHANGE_USER that breaks off in front of the plugin is left as it is") {
    login one(client_introduction(own), modern | attrs, modern | attrs);
    auto change = to_other();
    change.auth_plugin.reset();
    const auto heard = one.changed(change, modern | attrs, modern | attrs);
    CHECK_FALSE(heard.auth_plugin.has_value());
    CHECK_FALSE(heard.attributes.has_value());
}

}  // namespace
}  // namespace sluice::session

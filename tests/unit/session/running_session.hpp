#pragma once

// A session that has logged in, between a scripted client and a scripted server.

#include <string>

#include "proxy/session/session_core.hpp"
#include "tests/unit/session/login_script.hpp"

namespace sluice::session {

using namespace std::chrono_literals;
using protocol::command;

inline constexpr time_point start{};
inline constexpr status_flags autocommit = server_status::autocommit;
inline constexpr status_flags in_trans = server_status::autocommit | server_status::in_trans;

/// A session after its login, the bytes that each side has had from it, and the bytes of the client that wait.
struct running {
    explicit running(gate_shard& gates, capability_flags capabilities = modern)
        : shard(gates), caps(capabilities), core(gates, {a_key(), 65536}, {true, 1024}) {
        core.set_client("10.0.0.1:1234");
        shard.join(core.relay());
        protocol::server_greeting greeting;
        greeting.server_version = "9.7.0";
        greeting.connection_id = 5;
        greeting.capabilities = capability::mysql_mask;
        greeting.auth_data = std::string(20, 's') + std::string(1, '\0');
        greeting.auth_plugin = "p";
        protocol::handshake_response response;
        response.capabilities = caps | capability::connect_with_db;
        response.user = "app";
        response.database = "shop";
        response.auth_plugin = "p";
        byte_buffer payload;
        protocol::serialise(payload, greeting);
        server(framed(protocol::as_text(payload), 0));
        payload.clear();
        protocol::serialise(payload, response);
        client(framed(protocol::as_text(payload), 1));
        server(script(caps, 2).ok());
        REQUIRE(core.phase() == core_phase::commands);
        to_client.clear();
        to_server.clear();
    }

    core_next client(byte_view bytes) {
        unread.insert(unread.end(), bytes.begin(), bytes.end());
        return look();
    }
    core_next look() {
        const auto step = core.on_client(unread, start);
        to_server.insert(to_server.end(), unread.begin(), unread.begin() + static_cast<std::ptrdiff_t>(step.forward));
        unread.erase(unread.begin(), unread.begin() + static_cast<std::ptrdiff_t>(step.forward + step.drop));
        take();
        return next = step.next;
    }
    core_next server(byte_view bytes) {
        const auto step = core.on_server(bytes, start);
        to_client.insert(to_client.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(step.forward));
        take();
        if (next == core_next::stalled) (void)look();
        return step.next;
    }
    /// Takes over what Sluice itself says.
    void take() {
        to_client = std::move(to_client) + core.to_client();
        to_server = std::move(to_server) + core.to_server();
        core.to_client().clear();
        core.to_server().clear();
    }
    /// A statement and its whole reply.
    void done(std::string_view text, status_flags status = autocommit) {
        REQUIRE(client(query_packet(text)) == core_next::more);
        (void)server(script(caps).ok(status));
        REQUIRE(core.relay().idle());
    }
    void released() {
        std::vector<gate_seat*> seats;
        shard.release(1, start, seats);
        REQUIRE(seats.size() == 1);
        core.relay().on_released();
        (void)look();
    }

    gate_shard& shard;
    capability_flags caps;
    session_core core;
    byte_buffer to_client, to_server, unread;
    core_next next = core_next::more;
};

}  // namespace sluice::session

#pragma once

// A session behind its login, its packets given to its relay_fsm as they are: no owner, no other session.

#include "proxy/session/session_core.hpp"
#include "tests/unit/session/packets.hpp"

#include <string>

namespace sluice::session {

using namespace std::chrono_literals;
using protocol::command;

inline constexpr time_point start{};
inline constexpr status_flags in_trans = server_status::autocommit | server_status::in_trans;

inline std::string id_bytes(std::uint32_t id) {
    std::string bytes;
    for (int i = 0; i < 4; ++i) bytes += static_cast<char>(id >> (8 * i) & 0xFFU);
    return bytes;
}

/// One that watches shop.orders, as the table of slot 0.
struct relay {
    explicit relay(const char* version = "9.7.0", capability_flags capabilities = modern)
        : shard({}), fsm(shard, {true, 1024}) {
        login_facts facts;
        facts.server_version = version;
        facts.capabilities = capabilities;
        facts.status = server_status::autocommit;
        facts.schema = "shop";
        shard.watch(0, {"shop", "orders"});
        shard.join(fsm);
        fsm.begin(facts, "here", start);
    }
    client_next send(byte_view bytes) {
        unread.insert(unread.end(), bytes.begin(), bytes.end());
        const auto step = fsm.on_client(unread, start);
        unread.erase(unread.begin(), unread.begin() + static_cast<std::ptrdiff_t>(step.forward + step.drop));
        return step.next;
    }
    client_next query(std::string_view text) { return send(query_packet(text)); }
    server_step reply(const script& bytes) { return fsm.on_server(bytes, start); }
    void done(std::string_view text, status_flags status = server_status::autocommit) {
        INFO(text.substr(0, 60));
        REQUIRE(query(text) == client_next::more);
        (void)reply(script().ok(status));
        REQUIRE(fsm.idle());
    }
    void prepare(std::uint32_t id, std::string_view text) {
        REQUIRE(send(command_packet(command::stmt_prepare, text)) == client_next::more);
        (void)reply(script().prepare_ok(id, 0, 0));
    }
    client_next execute(const std::string& id) {
        return send(command_packet(command::stmt_execute, id + std::string("\0\1\0\0\0", 5)));
    }
    client_next close(const std::string& id) { return send(command_packet(command::stmt_close, id)); }
    [[nodiscard]] bool uses() const { return shard.in_use_count(0) != 0; }
    // Whether the statement that has just been sent counts as using the table; its reply comes then.
    bool used() {
        const bool is_used = uses();
        (void)reply(script().ok());
        return is_used;
    }

    gate_shard shard;
    relay_fsm fsm;
    byte_buffer unread;
};

}  // namespace sluice::session

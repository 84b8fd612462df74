// A COM_STMT_EXECUTE that the gate refuses: what was sent ahead for it must not stay with the statement in the server.

#include "protocol/message/statement_command.hpp"
#include "tests/unit/session/running_session.hpp"

namespace sluice::session {
namespace {

constexpr std::uint32_t id = 3;

byte_buffer execute() { return command_packet(command::stmt_execute, std::string("\3\0\0\0\0\1\0\0\0", 9)); }

byte_buffer long_data() { return command_packet(command::stmt_send_long_data, std::string("\3\0\0\0\0\0piece", 11)); }

byte_buffer reset() {
    byte_buffer payload;
    protocol::serialise_stmt_reset(payload, id);
    return framed(protocol::as_text(payload), 0);
}

byte_buffer refusal(std::uint16_t number, const char* state, const char* message) {
    byte_buffer packet;
    protocol::append_err_reply(packet, {number, state, message}, modern, 1);
    return packet;
}

byte_buffer bytes_of(byte_view bytes) { return {bytes.begin(), bytes.end()}; }

const auto outdated = refusal(1412, "HY000", "Table definition has changed, please retry transaction");
const auto interrupted = refusal(1317, "70100", "Query execution was interrupted");

/// A session with a prepared statement that reads a watched table.
struct prepared : running {
    explicit prepared(gate_shard& gates) : running(gates) {
        (void)client(command_packet(command::stmt_prepare, "SELECT * FROM orders WHERE a = ?"));
        (void)server(script().prepare_ok(id, 0, 0));
        REQUIRE(core.relay().idle());
        gates.watch(0, {"shop", "orders"});
    }
    void send(const byte_buffer& bytes) {
        to_client.clear();
        to_server.clear();
        (void)client(bytes);
        while (next == core_next::again) (void)look();
    }
};

TEST_CASE("a refused execution of a prepared statement resets it, and the client hears of one reply") {
    gate_shard shard({});
    prepared t(shard);
    t.done("BEGIN", in_trans);
    t.done("SELECT * FROM other", in_trans);
    shard.close(0, start + 1s);
    REQUIRE(shard.seal(0));
    shard.open(0, gate_end::swapped);

    t.send(long_data() + execute());
    CHECK(t.to_client == outdated);
    CHECK(t.to_server == long_data() + reset());

    SECTION("the next command goes on behind the reset") {
        t.send(command_packet(command::ping));
        CHECK(t.to_server.empty());
        (void)t.server(script().ok(in_trans));
        CHECK(t.to_client.empty());
        CHECK(t.to_server == command_packet(command::ping));
        (void)t.server(script().ok(in_trans));
        CHECK(t.to_client == bytes_of(script().ok(in_trans)));
        CHECK(t.core.relay().in_transaction());
    }
    SECTION("its reply may come in pieces, and with what follows") {
        const byte_buffer ok = bytes_of(script().ok(in_trans));
        t.to_client.clear();
        for (std::size_t at = 0; at + 1 < ok.size(); ++at) (void)t.server(byte_view(ok).subspan(at, 1));
        CHECK(t.to_client.empty());
        CHECK_FALSE(t.core.relay().idle());
        (void)t.server(byte_view(ok).last(1));
        CHECK(t.to_client.empty());
        CHECK(t.core.relay().idle());
    }
    SECTION("the server knows no such statement any more") {
        t.to_client.clear();
        (void)t.server(script().err(1243));
        CHECK(t.to_client.empty());
        CHECK(t.core.relay().idle());
    }
    SECTION("the server hangs up instead") {
        t.to_client.clear();
        (void)t.server(script(modern, 0).err(4031));
        CHECK(t.to_client == bytes_of(script(modern, 0).err(4031)));
    }
    SECTION("a text needs nothing of the kind") {
        (void)t.server(script().ok(in_trans));
        t.send(query_packet("SELECT * FROM orders"));
        CHECK(t.to_client == outdated);
        CHECK(t.to_server.empty());
    }
}

TEST_CASE("a held execution that is killed resets its statement") {
    gate_shard shard({});
    prepared t(shard);
    shard.close(0, start + 1s);
    t.send(long_data() + execute());
    REQUIRE(t.next == core_next::held);
    CHECK(t.to_server == long_data());
    shard.interrupt(5);
    t.to_server.clear();
    t.released();
    while (t.next == core_next::again) (void)t.look();
    CHECK(t.to_client == interrupted);
    CHECK(t.to_server == reset());
    (void)t.server(script().ok());
    CHECK(t.to_client == interrupted);
    CHECK(t.core.relay().idle());
}

}  // namespace
}  // namespace sluice::session

// Clients at the edges of a transport: gone at a bad moment, with more in one TLS record than is read at once, with
// their sending side closed while a reply is under way.

#include "protocol/message/client_handshake.hpp"
#include "protocol/message/handshake.hpp"
#include "tests/integration/proxy_fixture.hpp"
#include "tests/support/loopback.hpp"
#include "tests/support/wire_packets.hpp"

#include <optional>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace sluice::test {
namespace {

using proxy::client_tls_mode;
using proxy::proxy_options;
using proxy::server_tls_mode;

std::string app_response() {
    protocol::handshake_response response;
    response.user = app_user;
    response.auth_plugin = protocol::caching_sha2_plugin;
    protocol::byte_buffer payload;
    protocol::serialise(payload, response);
    return protocol::to_string(payload);
}

/// Logged in through TLS.
class tls_client {
public:
    explicit tls_client(std::uint16_t port) : wire_(port, 20s), packets(wire_) {
        packets.keep_record(false);
        protocol::client_login login;
        login.user = app_user;
        login.password = app_password;
        login.tls = protocol::client_tls::always;
        protocol::client_handshake handshake(login);
        using protocol::login_state;
        while (handshake.state() == login_state::waiting || handshake.state() == login_state::securing) {
            std::optional<protocol::client_handshake::outgoing> reply;
            if (handshake.state() == login_state::securing) {
                wire_.start_tls();
                reply = handshake.on_secured();
            } else {
                const auto got = packets.receive();
                reply = handshake.on_packet(protocol::as_bytes(got.payload), got.sequence);
            }
            if (reply) packets.send(protocol::to_string(reply->payload), reply->sequence);
        }
        CAPTURE(handshake.failure().error.message);
        REQUIRE(handshake.state() == login_state::done);
    }
    void close_sending() { wire_.close_sending(); }

private:
    wire::transport wire_;

public:
    wire::packet_stream packets;
};

proxy_options tls_options(server_tls_mode server = server_tls_mode::disabled) {
    proxy_options options;
    options.tls.client.mode = client_tls_mode::preferred;
    options.tls.server.mode = server;
    return options;
}

TEST_CASE("what one TLS record brings beyond one read is not left lying") {
    const proxy_under_test proxied(server_kind::mysql_9_7, tls_options());
    tls_client client(proxied.port());
    constexpr int commands = 20'000;  // 100 kB; a read is at most 64 KiB, and the kernel has nothing more to announce
    std::string pings;
    for (int i = 0; i < commands; ++i) pings += wire::packet_stream::framed("\x0e", 0);
    client.packets.send_framed(pings);
    int answered = 0;
    while (answered < commands && client.packets.receive().first() == 0) ++answered;
    CHECK(answered == commands);
}

TEST_CASE("a client that only stops sending gets its whole reply under TLS") {
    for (const auto mode : {server_tls_mode::disabled, server_tls_mode::preferred}) {
        INFO("TLS to the server: " << (mode == server_tls_mode::preferred));
        const proxy_under_test proxied(server_kind::mysql_9_7, tls_options(mode));
        tls_client client(proxied.port());
        client.packets.send("\x03SELECT REPEAT('x', 20000000)", 0);
        client.close_sending();
        (void)client.packets.receive();  // one column
        (void)client.packets.receive();  // this one
        CHECK(client.packets.receive().payload.size() == 20'000'000 + 9);
        CHECK(client.packets.receive().first() == 0xFE);
        // What the server says of the end, and the end.
        CHECK_THROWS_AS(
            [&] {
                for (;;) (void)client.packets.receive();
            }(),
            wire::closed);
        CHECK(eventually([&] { return proxied.proxy->statistics().sessions == 0; }));
    }
}

/// A server whose greeting waits for a word of the test, and that takes down the answer to it.
class late_server {
public:
    late_server() {
        listening_ = listen_on_loopback(port_);
        REQUIRE(listening_ >= 0);
    }
    ~late_server() { ::close(listening_); }

    void await_connection() { peer_.emplace(raw_client::adopt(::accept(listening_, nullptr, nullptr))); }
    void greet() {
        protocol::server_greeting greeting;
        greeting.server_version = "9.7.0";
        greeting.capabilities = protocol::capability::mysql_mask & ~protocol::capability::ssl;
        greeting.auth_data = std::string(20, 's') + std::string(1, '\0');
        greeting.auth_plugin = protocol::caching_sha2_plugin;
        protocol::byte_buffer payload;
        protocol::serialise(payload, greeting);
        peer_->send_packet(payload);
    }
    /// The answer to the greeting; empty when the connection ends instead.
    std::string answer() {
        try {
            return peer_->receive_packet().text();
        } catch (const raw_error&) {
            return {};
        }
    }
    [[nodiscard]] std::uint16_t port() const { return port_; }

private:
    int listening_ = -1;
    std::uint16_t port_ = 0;
    std::optional<raw_client> peer_;
};

TEST_CASE("a client that leaves before the server has greeted is not counted against Sluice's address") {
    for (const bool resets : {false, true}) {
        INFO("the client resets its connection: " << resets);
        late_server server;
        proxy_options options;
        options.server_port = server.port();
        const proxy_under_test proxied(server_kind::mysql_9_7, options);
        raw_client client(proxied.port());
        server.await_connection();
        if (resets)
            client.reset();
        else
            client.close();
        server.greet();
        CHECK_THAT(server.answer(), Catch::Matchers::Contains("client-left-before-login"));
    }
}

TEST_CASE("a client that leaves during the server's TLS handshake does not break it off") {
    auto root = connect(shared_server(server_kind::mysql_9_7));
    const auto count = [&](const std::string& name) {
        return std::stoi(*root.query("SHOW GLOBAL STATUS LIKE '" + name + "'")[0][1]);
    };
    proxy_options options;
    options.tls.server.mode = server_tls_mode::required;
    const proxy_under_test proxied(server_kind::mysql_9_7, options);
    const auto begun = count("Ssl_accepts");
    const auto finished = count("Ssl_finished_accepts");
    constexpr int visits = 20;
    for (int i = 0; i < visits; ++i) {
        raw_client client(proxied.port());
        (void)client.receive_packet();
        client.send_packet(app_response(), 1);
        if (i % 2 == 0)
            client.reset();
        else
            client.close();
    }
    CHECK(eventually([&] { return proxied.proxy->statistics().sessions == 0; }));
    CHECK(eventually([&] { return count("Ssl_accepts") == begun + visits; }));
    CHECK(eventually([&] { return count("Ssl_finished_accepts") == finished + visits; }));
}

}  // namespace
}  // namespace sluice::test

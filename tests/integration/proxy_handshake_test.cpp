// TLS handshakes that go wrong: bytes where none belong, ends in the middle, silence.

#include "protocol/message/handshake.hpp"
#include "tests/integration/proxy_fixture.hpp"
#include "tests/support/loopback.hpp"

#include <array>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace sluice::test {
namespace {

using proxy::client_tls_mode;
using proxy::server_tls_mode;

std::string ssl_request_packet() {
    protocol::ssl_request request;
    request.capabilities = protocol::capability::protocol_41 | protocol::capability::ssl |
                           protocol::capability::secure_connection | protocol::capability::plugin_auth;
    protocol::byte_buffer payload;
    protocol::byte_buffer packet;
    protocol::serialise(payload, request);
    protocol::append_framed(packet, payload, 1);
    return protocol::to_string(packet);
}

TEST_CASE("bytes behind a request for TLS never become part of the session") {
    proxy::proxy_options options;
    options.tls.client.mode = client_tls_mode::preferred;
    const proxy_under_test proxied(server_kind::mysql_9_7, options);
    protocol::handshake_response response;
    response.user = app_user;
    protocol::byte_buffer payload;
    protocol::byte_buffer login;
    protocol::serialise(payload, response);
    protocol::append_framed(login, payload, 2);
    const auto injected = ssl_request_packet() + protocol::to_string(login);
    for (const std::size_t piece : {injected.size(), std::size_t{36}, std::size_t{5}, std::size_t{1}}) {
        INFO("in pieces of " << piece);
        raw_client client(proxied.port());
        (void)client.receive_packet();
        for (std::size_t at = 0; at < injected.size(); at += piece) {
            try {
                client.send_bytes(std::string_view(injected).substr(at, piece));
            } catch (const raw_error&) {
                break;  // it has hung up already
            }
        }
        // An alert, which is no packet, and the end.
        CHECK(client.closed_by_peer());
    }
    CHECK(eventually([&] { return proxied.proxy->statistics().sessions == 0; }));
    CHECK(proxied.proxy->statistics().logins_failed == 4);
}

TEST_CASE("a handshake that breaks off, or never comes, ends its session only") {
    proxy::proxy_options options;
    options.tls.client.mode = client_tls_mode::preferred;
    options.login_limit = 300ms;
    const proxy_under_test proxied(server_kind::mysql_9_7, options);
    // What a client of TLS 1.2 would begin with, cut everywhere; then silence or an end.
    const std::string hello = std::string("\x16\x03\x01\x00\x2f\x01\x00\x00\x2b\x03\x03", 11) + std::string(32, 'r') +
                              std::string("\x00\x00\x04\x00\x2f\x00\xff\x01\x00", 9);
    for (std::size_t cut = 0; cut <= hello.size(); cut += 7) {
        raw_client client(proxied.port());
        (void)client.receive_packet();
        client.send_bytes(ssl_request_packet());
        client.send_bytes(std::string_view(hello).substr(0, cut));
        if (cut % 2 == 0) client.close_sending();
        CHECK(client.closed_by_peer());
    }
    CHECK(eventually([&] { return proxied.proxy->statistics().sessions == 0; }));
    CHECK(proxied.connection().scalar("SELECT 1") == "1");
}

TEST_CASE("a slow server's handshake counts against the login's time") {
    auto server = mysql_server::start();
    proxy::proxy_options options;
    options.server_port = server.port();
    options.tls.server.mode = server_tls_mode::required;
    options.login_limit = 500ms;
    const proxy_under_test proxied(server_kind::mysql_9_7, options);
    raw_client client(proxied.port());
    const auto greeting = protocol::parse_server_greeting(client.receive_packet().payload);
    REQUIRE(greeting.has_value());
    CHECK_FALSE(protocol::has(greeting->capabilities, protocol::capability::ssl));
    server.suspend();
    protocol::handshake_response response;
    response.user = app_user;
    response.auth_plugin = protocol::caching_sha2_plugin;
    protocol::byte_buffer payload;
    protocol::serialise(payload, response);
    client.send_packet(payload, 1);
    const auto said = protocol::parse_err(client.receive_packet().payload);
    server.resume();
    REQUIRE(said.has_value());
    CHECK(said->code == 1159);
    CHECK(client.closed_by_peer());
}

/// Greets its only client as a server that has TLS, reads what comes up to the request for it, says `last` and hangs
/// up.
class broken_server {
public:
    broken_server(std::string behind_greeting, std::string last) {
        listening_ = listen_on_loopback(port_);
        REQUIRE(listening_ >= 0);
        thread_ = std::thread([this, behind = std::move(behind_greeting), last = std::move(last)] {
            const int peer = ::accept(listening_, nullptr, nullptr);
            protocol::server_greeting greeting;
            greeting.server_version = "9.7.0";
            greeting.capabilities = protocol::capability::mysql_mask;
            greeting.auth_data = std::string(20, 's') + std::string(1, '\0');
            greeting.auth_plugin = protocol::caching_sha2_plugin;
            protocol::byte_buffer payload;
            protocol::byte_buffer packet;
            protocol::serialise(payload, greeting);
            protocol::append_framed(packet, payload, 0);
            const auto said = protocol::to_string(packet) + behind;
            (void)::send(peer, said.data(), said.size(), MSG_NOSIGNAL);
            std::array<char, 36> request{};
            (void)::recv(peer, request.data(), request.size(), MSG_WAITALL);
            (void)::send(peer, last.data(), last.size(), MSG_NOSIGNAL);
            ::shutdown(peer, SHUT_WR);
            std::array<char, 4096> rest{};
            while (::recv(peer, rest.data(), rest.size(), 0) > 0) {
            }
            ::close(peer);
        });
    }
    ~broken_server() {
        thread_.join();
        ::close(listening_);
    }
    [[nodiscard]] std::uint16_t port() const { return port_; }

private:
    int listening_ = -1;
    std::uint16_t port_ = 0;
    std::thread thread_;
};

TEST_CASE("a server's handshake that breaks off, or is none, is told to the client") {
    // What a server of TLS 1.2 would begin with.
    const std::string hello = std::string("\x16\x03\x03\x00\x31\x02\x00\x00\x2d\x03\x03", 11) + std::string(32, 'r');
    struct row {
        std::string behind_greeting;
        std::string last;
        std::uint16_t error;
    };
    std::vector<row> rows;
    for (const std::size_t cut : {0UL, 1UL, 5UL, 11UL, hello.size()}) rows.push_back({"", hello.substr(0, cut), 1429});
    rows.push_back({"", std::string("\x07\0\0\x02\0\0\0\x02\0\0\0", 11), 1429});  // an OK
    rows.push_back({std::string("\x07\0\0", 3), "", 1043});                       // a piece of one, behind the greeting
    for (const auto& r : rows) {
        INFO(r.behind_greeting.size() << " bytes behind the greeting, " << r.last.size() << " after the request");
        broken_server server(r.behind_greeting, r.last);
        proxy::proxy_options options;
        options.server_port = server.port();
        options.tls.server.mode = server_tls_mode::required;
        const proxy_under_test proxied(server_kind::mysql_9_7, options);
        raw_client client(proxied.port());
        (void)client.receive_packet();
        protocol::handshake_response response;
        response.user = app_user;
        response.auth_plugin = protocol::caching_sha2_plugin;
        protocol::byte_buffer payload;
        protocol::serialise(payload, response);
        client.send_packet(payload, 1);
        const auto said = client.receive_packet();
        CHECK(said.sequence == 2);
        const auto error = protocol::parse_err(said.payload);
        REQUIRE(error.has_value());
        CAPTURE(error->message);
        CHECK(error->code == r.error);
        if (r.error == 1429) CHECK_THAT(error->message, Catch::Matchers::Contains("TLS: "));
        CHECK(client.closed_by_peer());
    }
}

}  // namespace
}  // namespace sluice::test

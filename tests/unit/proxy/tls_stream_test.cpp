#include "proxy/net/tls_stream.hpp"

#include "tests/support/catch.hpp"

#include <array>
#include <memory>

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace sluice::proxy {
namespace {

struct socket_pair {
    socket_pair() { REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) == 0); }
    ~socket_pair() {
        for (const int end : ends) ::close(end);
    }
    std::array<int, 2> ends{};
};

/// OpenSSL's own client on the other end.
struct plain_client {
    explicit plain_client(int descriptor)
        : context(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free), ssl(SSL_new(context.get()), &SSL_free) {
        SSL_set_fd(ssl.get(), descriptor);
        SSL_set_connect_state(ssl.get());
    }
    std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context;
    std::unique_ptr<SSL, decltype(&SSL_free)> ssl;
};

TEST_CASE("a peer that has TLS answer it all the time and reads nothing is cut off") {
    const auto own = self_signed_certificate::make();
    REQUIRE(own.has_value());
    client_tls_settings settings;
    settings.mode = client_tls_mode::preferred;
    const auto context = tls_context::for_clients(settings, &own.value());
    REQUIRE(context.has_value());
    const socket_pair sockets;
    tls_stream stream(context.value(), sockets.ends[0]);
    plain_client client(sockets.ends[1]);
    auto step = handshake_step::wants_read;
    for (int i = 0; i < 10 && step != handshake_step::done; ++i) {
        SSL_do_handshake(client.ssl.get());
        step = stream.handshake();
    }
    REQUIRE(step == handshake_step::done);
    REQUIRE(SSL_version(client.ssl.get()) == TLS1_3_VERSION);

    std::array<std::byte, 1024> into{};
    bool cut_off = false;
    // Each is answered by one of about as many bytes: 100'000 of them are megabytes.
    for (int i = 0; i < 100'000 && !cut_off; ++i) {
        REQUIRE(SSL_key_update(client.ssl.get(), SSL_KEY_UPDATE_REQUESTED) == 1);
        REQUIRE(SSL_do_handshake(client.ssl.get()) == 1);
        cut_off = stream.read_some(into).status == io_status::closed;
    }
    CHECK(cut_off);
    CHECK(stream.write_some({}, into).status == io_status::closed);
    ERR_clear_error();
}

}  // namespace
}  // namespace sluice::proxy

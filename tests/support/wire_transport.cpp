#include "tests/support/wire_transport.hpp"

#include "tests/support/loopback.hpp"
#include "tests/support/wire_reader_state.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

namespace sluice::test::wire {
namespace {

using clock = std::chrono::steady_clock;

// A reader that has not taken a piece within this time waits for something else than bytes.
constexpr std::chrono::microseconds reading_limit{1500};
constexpr int descriptor_max = 1024;

[[noreturn]] void fail_system(const std::string& what) { throw error(what + ": " + std::strerror(errno)); }

sockaddr_in address_of(int socket, int (*ask)(int, sockaddr*, socklen_t*)) {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    if (ask(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) address = {};
    return address;
}

bool same(const sockaddr_in& a, const sockaddr_in& b) {
    return a.sin_family == AF_INET && b.sin_family == AF_INET && a.sin_port == b.sin_port &&
           a.sin_addr.s_addr == b.sin_addr.s_addr;
}

// The descriptor in this process that is the other end of the connection; -1: none.
int other_end(int socket) {
    const auto here = address_of(socket, getsockname);
    const auto there = address_of(socket, getpeername);
    for (int candidate = 3; candidate < descriptor_max; ++candidate) {
        if (candidate != socket && same(address_of(candidate, getpeername), here) &&
            same(address_of(candidate, getsockname), there)) {
            return candidate;
        }
    }
    return -1;
}

}  // namespace

void piecewise_sender::send_all(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0) throw closed(std::string("sending: ") + std::strerror(errno));
        sent_ += static_cast<std::uint64_t>(sent);
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
}

void piecewise_sender::send(std::string_view bytes) {
    if (size_ == 0) return send_all(bytes);
    if (reader_ < 0) reader_ = other_end(socket_);
    while (!bytes.empty()) {
        const auto piece = bytes.substr(0, size_);
        bytes.remove_prefix(piece.size());
        send_all(piece);
        ++count_.sent;
        wait_until_read();
    }
}

void piecewise_sender::wait_until_read() {
    const auto end = clock::now() + reading_limit;
    do {
        if (reader_ >= 0 && has_read(reader_, sent_)) {
            ++count_.seen_read;
            return;
        }
        sched_yield();
    } while (clock::now() < end);
}

struct transport::tls_state {
    SSL_CTX* context = nullptr;
    SSL* session = nullptr;
    BIO* in = nullptr;  // both belong to the session
    BIO* out = nullptr;

    tls_state() : context(SSL_CTX_new(TLS_client_method())) {
        SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
        session = SSL_new(context);
        in = BIO_new(BIO_s_mem());
        out = BIO_new(BIO_s_mem());
        SSL_set_bio(session, in, out);
        SSL_set_connect_state(session);
    }
    tls_state(const tls_state&) = delete;
    tls_state& operator=(const tls_state&) = delete;
    ~tls_state() {
        SSL_free(session);
        SSL_CTX_free(context);
    }
};

transport::transport(std::uint16_t port, std::chrono::milliseconds limit)
    : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), limit_(limit), sender_(socket_) {
    if (socket_ < 0) fail_system("socket");
    const auto address = loopback(port);
    if (connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        const int why = errno;
        ::close(socket_);
        errno = why;
        fail_system("connecting to port " + std::to_string(port));
    }
    send_at_once(socket_);
}

transport::~transport() { ::close(socket_); }

void transport::close_sending() { shutdown(socket_, SHUT_WR); }

void transport::set_receive_buffer(int bytes) {
    if (setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes) != 0) fail_system("the receive buffer");
}

std::string transport::socket_receive() {
    pollfd readable{socket_, POLLIN, 0};
    const int ready = poll(&readable, 1, static_cast<int>(limit_.count()));
    if (ready < 0) fail_system("waiting for the peer");
    if (ready == 0) throw error("the peer is silent for " + std::to_string(limit_.count()) + " ms");
    std::string chunk(64 * 1024, '\0');
    const auto count = recv(socket_, chunk.data(), chunk.size(), 0);
    if (count < 0 && errno != ECONNRESET) fail_system("receiving");
    if (count <= 0) throw closed("the peer has closed the connection");
    chunk.resize(static_cast<std::size_t>(count));
    return chunk;
}

void transport::tls_flush() {
    std::string out(BIO_ctrl_pending(tls_->out), '\0');
    if (out.empty()) return;
    const int count = BIO_read(tls_->out, out.data(), static_cast<int>(out.size()));
    out.resize(static_cast<std::size_t>(std::max(count, 0)));
    sender_.send(out);
}

void transport::start_tls() {
    tls_ = std::make_unique<tls_state>();
    for (;;) {
        const int done = SSL_do_handshake(tls_->session);
        tls_flush();
        if (done == 1) return;
        if (SSL_get_error(tls_->session, done) != SSL_ERROR_WANT_READ) {
            char text[256];
            ERR_error_string_n(ERR_get_error(), text, sizeof text);
            throw error(std::string("TLS: ") + text);
        }
        const auto got = socket_receive();
        BIO_write(tls_->in, got.data(), static_cast<int>(got.size()));
    }
}

void transport::send(std::string_view bytes) {
    std::string framed;
    if (compressor_) {
        compressor_->wrap(bytes, framed);
        bytes = framed;
    }
    if (!tls_) return sender_.send(bytes);
    while (!bytes.empty()) {
        const auto part = bytes.substr(0, 1U << 20U);
        bytes.remove_prefix(part.size());
        if (SSL_write(tls_->session, part.data(), static_cast<int>(part.size())) <= 0) throw closed("writing into TLS");
        tls_flush();
    }
}

void transport::receive(std::string& to) {
    const auto before = to.size();
    do {
        std::string got;
        if (tls_) {
            got.resize(32 * 1024);
            const int count = SSL_read(tls_->session, got.data(), static_cast<int>(got.size()));
            if (count <= 0) {
                const int why = SSL_get_error(tls_->session, count);
                if (why != SSL_ERROR_WANT_READ) throw closed("TLS has ended");
                const auto raw = socket_receive();
                BIO_write(tls_->in, raw.data(), static_cast<int>(raw.size()));
                continue;
            }
            got.resize(static_cast<std::size_t>(count));
        } else {
            got = socket_receive();
        }
        if (compressor_) {
            compressed_in_ += got;
            compressor_->unwrap(compressed_in_, to);
        } else {
            to += got;
        }
    } while (to.size() == before);
}

}  // namespace sluice::test::wire

#include "tests/support/wire_relay.hpp"

#include "tests/support/loopback.hpp"

#include <cerrno>
#include <cstring>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace sluice::test::wire {
chopping_relay::chopping_relay(std::uint16_t server_port)
    : server_port_(server_port), listener_(listen_on_loopback(port_)) {
    if (listener_ < 0 || pipe(stop_) != 0) {
        throw error(std::string("the relay cannot listen: ") + std::strerror(errno));
    }
    acceptor_ = std::thread([this] { accept_all(); });
}

chopping_relay::~chopping_relay() {
    ::close(stop_[1]);
    acceptor_.join();
    for (auto& pump : pumps_) pump.join();
    ::close(stop_[0]);
    ::close(listener_);
}

piece_count chopping_relay::pieces() {
    const std::lock_guard guard(lock_);
    return pieces_;
}

void chopping_relay::accept_all() {
    for (;;) {
        pollfd waits[2] = {{listener_, POLLIN, 0}, {stop_[0], POLLIN, 0}};
        if (poll(waits, 2, -1) < 0 && errno != EINTR) return;
        if (waits[1].revents != 0) return;
        const int proxy = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (proxy < 0) continue;
        const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const auto address = loopback(server_port_);
        if (connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
            ::close(server);
            ::close(proxy);
            continue;
        }
        send_at_once(proxy);
        send_at_once(server);
        const std::lock_guard guard(lock_);
        pumps_.emplace_back([this, proxy, server] { pump(proxy, server); });
    }
}

void chopping_relay::pump(int proxy, int server) {
    piecewise_sender to_proxy(proxy);
    to_proxy.set_piece_size(piece_size_);
    piecewise_sender to_server(server);
    std::string chunk(64 * 1024, '\0');
    bool open = true;
    const auto pass = [&](int from, piecewise_sender& to, int other) {
        const auto count = recv(from, chunk.data(), chunk.size(), 0);
        if (count > 0) {
            to.send(std::string_view(chunk).substr(0, static_cast<std::size_t>(count)));
        } else {
            shutdown(other, SHUT_WR);
            open = false;
        }
    };
    try {
        while (open) {
            pollfd waits[3] = {{proxy, POLLIN, 0}, {server, POLLIN, 0}, {stop_[0], POLLIN, 0}};
            if (poll(waits, 3, -1) < 0 && errno != EINTR) break;
            if (waits[2].revents != 0) break;
            if (waits[0].revents != 0) pass(proxy, to_server, server);
            if (open && waits[1].revents != 0) pass(server, to_proxy, proxy);
        }
    } catch (const error&) {
        // One of them has gone; the other is to see that.
    }
    ::close(proxy);
    ::close(server);
    const std::lock_guard guard(lock_);
    pieces_.sent += to_proxy.count().sent;
    pieces_.seen_read += to_proxy.count().seen_read;
}

}  // namespace sluice::test::wire

#include "bench/throwaway/readiness.hpp"

#include "bench/throwaway/server.hpp"

#include <cerrno>
#include <random>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace sluice::throwaway {
namespace {

struct descriptor {
    descriptor() : value(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;
    ~descriptor() { close(value); }
    int value;
};

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

bool can_bind(std::uint16_t port) {
    const descriptor probe;
    const int on = 1;
    setsockopt(probe.value, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);  // as the servers do
    const auto address = loopback(port);
    return bind(probe.value, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

}  // namespace

std::uint16_t free_port() {
    std::random_device entropy;
    std::uniform_int_distribution<int> ports(20'000, 32'000);
    for (int attempt = 0; attempt < 200; ++attempt) {
        const auto port = static_cast<std::uint16_t>(ports(entropy));
        if (can_bind(port)) return port;
    }
    throw server_error("no free port between 20000 and 32000");
}

bool greets(std::uint16_t port) {
    const descriptor connection;
    const auto address = loopback(port);
    if (connect(connection.value, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return false;
    pollfd readable{connection.value, POLLIN, 0};
    if (poll(&readable, 1, 1000) != 1) return false;
    // Frame header, then the protocol version, 10; a server that refuses (too many connections) sends 0xFF instead.
    unsigned char start[5];
    return recv(connection.value, start, sizeof start, MSG_WAITALL) == static_cast<ssize_t>(sizeof start) &&
           start[4] == 10;
}

}  // namespace sluice::throwaway

#pragma once

// Sockets of this machine, for tests that stand on the wire themselves.

#include <cstdint>

#include <netinet/in.h>

namespace sluice::test {

[[nodiscard]] sockaddr_in loopback(std::uint16_t port);

/// What is sent in pieces shall travel in pieces (TCP_NODELAY).
void send_at_once(int socket);

/// A socket that listens on a free port, which `port` gets; -1 with errno set if there is none. The caller closes it.
[[nodiscard]] int listen_on_loopback(std::uint16_t& port);

}  // namespace sluice::test

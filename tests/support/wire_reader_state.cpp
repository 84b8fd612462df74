#include "tests/support/wire_reader_state.hpp"

// Not <netinet/tcp.h>: the C library's tcp_info has no counters of bytes, and the two cannot stand side by side.
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace sluice::test::wire {

bool has_read(int socket, std::uint64_t bytes) {
    tcp_info info{};
    socklen_t size = sizeof info;
    if (getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0 || info.tcpi_bytes_received < bytes) return false;
    int unread = 0;
    return ioctl(socket, FIONREAD, &unread) == 0 && unread == 0;
}

}  // namespace sluice::test::wire

#include "migration/mysql/stream_socket.hpp"

#include "migration/mysql/tls_client.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace sluice::migration {
namespace {

using clock = stream_socket::clock;

constexpr std::size_t handshake_read_size = 16 * 1024;

std::string reason(int error) { return std::generic_category().message(error); }

failure lost(std::string message) {
    auto failed = refuse("stream_lost", std::move(message));
    failed.then = disposition::retry;
    return failed;
}

failure unreachable(const server_address& address, const std::string& why) {
    auto failed = refuse("cannot_connect", "cannot connect to the server at " + address.text() + ": " + why);
    failed.attempted = "connect";
    failed.then = disposition::retry;
    return failed;
}

/// Milliseconds for poll(), rounded up so that a deadline is never taken for passed too early.
int poll_time_ms(clock::time_point deadline) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - clock::now());
    return static_cast<int>(std::clamp<std::chrono::milliseconds::rep>(left.count(), 0, 3'600'000));
}

struct candidate {
    int family = AF_UNSPEC;
    sockaddr_storage address{};
    socklen_t size = 0;
};

outcome<std::vector<candidate>> candidates_of(const server_address& address) {
    std::vector<candidate> found;
    if (!address.unix_socket.empty()) {
        sockaddr_un path{};
        if (address.unix_socket.size() >= sizeof path.sun_path) return unreachable(address, "the path is too long");
        path.sun_family = AF_UNIX;
        std::memcpy(path.sun_path, address.unix_socket.data(), address.unix_socket.size());
        auto& only = found.emplace_back();
        only.family = AF_UNIX;
        only.size = sizeof path;
        std::memcpy(&only.address, &path, sizeof path);
        return found;
    }
    addrinfo wanted{};
    wanted.ai_socktype = SOCK_STREAM;
    addrinfo* list = nullptr;
    const int code = getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &wanted, &list);
    if (code != 0) return unreachable(address, gai_strerror(code));
    const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owned(list, &freeaddrinfo);
    for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
        auto& one = found.emplace_back();
        one.family = entry->ai_family;
        one.size = entry->ai_addrlen;
        std::memcpy(&one.address, entry->ai_addr, entry->ai_addrlen);
    }
    return found;
}

/// A connected, non-blocking socket; or 0 … the error that prevented it.
std::pair<descriptor, int> open_socket(const candidate& to, clock::time_point deadline) {
    descriptor opened(socket(to.family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (opened.number() < 0) return {descriptor(), errno};
    if (::connect(opened.number(), reinterpret_cast<const sockaddr*>(&to.address), to.size) != 0) {
        if (errno != EINPROGRESS) return {descriptor(), errno};
        pollfd waiting{opened.number(), POLLOUT, 0};
        int ready = 0;
        do {
            ready = poll(&waiting, 1, poll_time_ms(deadline));
        } while (ready < 0 && errno == EINTR);
        if (ready == 0) return {descriptor(), ETIMEDOUT};
        int error = 0;
        socklen_t size = sizeof error;
        getsockopt(opened.number(), SOL_SOCKET, SO_ERROR, &error, &size);
        if (error != 0) return {descriptor(), error};
    }
    if (to.family != AF_UNIX) {
        const int on = 1;
        setsockopt(opened.number(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    return {std::move(opened), 0};
}

}  // namespace

descriptor& descriptor::operator=(descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
}

descriptor::~descriptor() {
    if (number_ >= 0) close(number_);
}

stream_socket::stream_socket(descriptor socket, descriptor waker) noexcept
    : socket_(std::move(socket)), waker_(std::move(waker)) {}

stream_socket::~stream_socket() = default;

outcome<std::unique_ptr<stream_socket>> stream_socket::connect(const server_address& address,
                                                               clock::time_point deadline) {
    SLUICE_TRY(const auto candidates, candidates_of(address));
    int error = EADDRNOTAVAIL;
    for (const auto& to : candidates) {
        auto [opened, failed] = open_socket(to, deadline);
        if (failed == 0) {
            descriptor waker(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
            if (waker.number() < 0) return unreachable(address, reason(errno));
            return std::unique_ptr<stream_socket>(new stream_socket(std::move(opened), std::move(waker)));
        }
        error = failed;
    }
    return unreachable(address, reason(error));
}

outcome<stream_socket::readiness> stream_socket::wait_for(short events, clock::time_point deadline) const {
    std::array<pollfd, 2> waiting{pollfd{socket_.number(), events, 0}, pollfd{waker_.number(), POLLIN, 0}};
    while (true) {
        const int ready = poll(waiting.data(), waiting.size(), poll_time_ms(deadline));
        if (ready < 0 && errno == EINTR) continue;
        if (ready < 0) return lost("poll failed: " + reason(errno));
        if (waiting[1].revents != 0) return refuse("stopped", "the stream was stopped");
        if (waiting[0].revents != 0) return readiness::ready;
        if (clock::now() >= deadline) return readiness::late;
    }
}

outcome<void> stream_socket::secure(const server_address& address, clock::time_point deadline) {
    SLUICE_TRY(auto tls, tls_client::create(address.tls, address.host));
    std::array<std::byte, handshake_read_size> room{};
    while (true) {
        SLUICE_TRY(const bool done, tls->handshake());
        SLUICE_TRY_VOID(send_plain(tls->take_outgoing(), deadline));
        if (done) break;
        SLUICE_TRY(const auto count, receive_plain(room, deadline));
        if (count == 0) return lost("the server did not finish the TLS handshake in time");
        tls->add_incoming(std::span(room).first(count));
    }
    tls_ = std::move(tls);
    return {};
}

std::string stream_socket::server_fingerprint() const { return tls_ ? tls_->server_fingerprint() : std::string(); }

outcome<void> stream_socket::send(protocol::byte_view bytes, clock::time_point deadline) {
    if (!tls_) return send_plain(bytes, deadline);
    SLUICE_TRY_VOID(tls_->write(bytes));
    return send_plain(tls_->take_outgoing(), deadline);
}

outcome<std::size_t> stream_socket::receive(std::span<std::byte> room, clock::time_point deadline) {
    if (!tls_) return receive_plain(room, deadline);
    while (true) {
        SLUICE_TRY(const auto count, tls_->read(room));
        if (count != 0) return count;
        // The caller's room is free still: what arrives is copied out of it before it is filled.
        SLUICE_TRY(const auto arrived, receive_plain(room, deadline));
        if (arrived == 0) return std::size_t{0};
        tls_->add_incoming(room.first(arrived));
    }
}

outcome<void> stream_socket::send_plain(protocol::byte_view bytes, clock::time_point deadline) {
    while (!bytes.empty()) {
        SLUICE_TRY(const auto ready, wait_for(POLLOUT, deadline));
        if (ready == readiness::late) return lost("the server did not take our bytes in time");
        const auto sent = ::send(socket_.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent < 0 && (errno == EAGAIN || errno == EINTR)) continue;
        if (sent < 0) return lost("the connection to the server broke: " + reason(errno));
        bytes = bytes.subspan(static_cast<std::size_t>(sent));
    }
    return {};
}

outcome<std::size_t> stream_socket::receive_plain(std::span<std::byte> room, clock::time_point deadline) {
    while (true) {
        SLUICE_TRY(const auto ready, wait_for(POLLIN, deadline));
        if (ready == readiness::late) return std::size_t{0};
        const auto got = recv(socket_.number(), room.data(), room.size(), 0);
        if (got > 0) return static_cast<std::size_t>(got);
        if (got == 0) return lost("the server closed the connection");
        if (errno != EAGAIN && errno != EINTR) return lost("the connection to the server broke: " + reason(errno));
    }
}

void stream_socket::wake() noexcept {
    const std::uint64_t one = 1;
    // Fails only when the counter is full, and then the stream is awake already.
    [[maybe_unused]] const auto written = write(waker_.number(), &one, sizeof one);
}

}  // namespace sluice::migration

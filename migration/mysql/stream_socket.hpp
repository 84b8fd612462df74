#pragma once

// A blocking byte stream to the server with deadlines, which another thread can wake.

#include "migration/model/failure.hpp"
#include "migration/mysql/server_address.hpp"
#include "protocol/wire/bytes.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>

namespace sluice::migration {

/// A file descriptor that is closed with its owner.
class descriptor {
public:
    explicit descriptor(int number = -1) noexcept : number_(number) {}
    descriptor(descriptor&& other) noexcept : number_(other.number_) { other.number_ = -1; }
    descriptor& operator=(descriptor&& other) noexcept;
    ~descriptor();
    [[nodiscard]] int number() const noexcept { return number_; }

private:
    int number_;
};

class tls_client;

/// Used by one thread at a time, except wake().
/// Failures: "cannot_connect" (retry) of connect(); "stream_lost" (retry) where the connection broke or a deadline for
/// sending passed; "stopped" (abort) after wake(); "tls_failed" (abort) of secure().
class stream_socket {
public:
    using clock = std::chrono::steady_clock;

    /// Tries every address that the host's name has until the deadline. Resolving the name itself is not under it.
    static outcome<std::unique_ptr<stream_socket>> connect(const server_address& address, clock::time_point deadline);

    ~stream_socket();

    /// From here on everything is sent and received through TLS. Nothing may have been received that was not used.
    outcome<void> secure(const server_address& address, clock::time_point deadline);

    /// Of the server's certificate, see tls_client.hpp; empty without TLS.
    [[nodiscard]] std::string server_fingerprint() const;

    outcome<void> send(protocol::byte_view bytes, clock::time_point deadline);

    /// Some bytes, at least one; 0 when none came before the deadline. What has already arrived is taken even when the
    /// deadline is past.
    outcome<std::size_t> receive(std::span<std::byte> room, clock::time_point deadline);

    /// Makes the call that blocks, and every later one, fail with "stopped".
    void wake() noexcept;

private:
    enum class readiness { ready, late };

    stream_socket(descriptor socket, descriptor waker) noexcept;
    outcome<void> send_plain(protocol::byte_view bytes, clock::time_point deadline);
    outcome<std::size_t> receive_plain(std::span<std::byte> room, clock::time_point deadline);
    outcome<readiness> wait_for(short events, clock::time_point deadline) const;

    descriptor socket_;
    descriptor waker_;  ///< eventfd
    std::unique_ptr<tls_client> tls_;
};

}  // namespace sluice::migration

#pragma once

// Stands between a proxy of this process and its server, and hands the server's bytes on in pieces (see
// piecewise_sender). The other direction passes as it comes. A thread per connection.

#include "tests/support/wire_transport.hpp"

#include <atomic>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

namespace sluice::test::wire {

class chopping_relay {
public:
    explicit chopping_relay(std::uint16_t server_port);
    chopping_relay(const chopping_relay&) = delete;
    chopping_relay& operator=(const chopping_relay&) = delete;
    /// Ends all connections.
    ~chopping_relay();

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    /// For connections that begin from now on.
    void set_piece_size(std::size_t size) noexcept { piece_size_ = size; }
    /// Of connections that have ended.
    [[nodiscard]] piece_count pieces();

private:
    void accept_all();
    void pump(int proxy, int server);

    std::uint16_t server_port_;
    std::uint16_t port_ = 0;
    int listener_ = -1;
    int stop_[2] = {-1, -1};  // a pipe that becomes readable at the end
    std::atomic<std::size_t> piece_size_{0};
    std::mutex lock_;  // of what follows
    piece_count pieces_;
    std::vector<std::thread> pumps_;
    std::thread acceptor_;
};

}  // namespace sluice::test::wire

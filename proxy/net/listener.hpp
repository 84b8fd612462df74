#pragma once

// Accepts clients and hands each to the I/O thread with the fewest sessions. (SO_REUSEPORT with an acceptor per thread
// was the other choice: the kernel then spreads by a hash, which leaves a few long-lived connections on one thread.)
// Limits of connections are kept here, before anything is spent on them. Runs on the first I/O thread.

#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <string>
#include <vector>

#include "protocol/result.hpp"
#include "proxy/net/io_thread.hpp"

namespace sluice::proxy {

class listener {
public:
    listener(std::shared_ptr<environment> surroundings, std::vector<std::shared_ptr<io_thread>> threads);

    /// Binds and listens; to be called before the threads start. The error says what and why.
    [[nodiscard]] result<void, start_error> open();
    /// Begins to accept.
    void start();
    /// Thread-safe. The port is closed, sometime soon.
    void stop();
    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

private:
    using tcp = boost::asio::ip::tcp;

    void accept_next();
    void on_accepted(const boost::system::error_code& error, tcp::socket client, io_thread& home);
    [[nodiscard]] bool refuse(tcp::socket& client);
    [[nodiscard]] io_thread& least_busy() noexcept;

    std::shared_ptr<environment> surroundings_;
    std::vector<std::shared_ptr<io_thread>> threads_;
    tcp::acceptor acceptor_;
    boost::asio::steady_timer retry_timer_;
    std::uint16_t port_ = 0;
    std::size_t next_thread_ = 0;
};

}  // namespace sluice::proxy

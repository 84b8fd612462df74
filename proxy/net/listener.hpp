#pragma once

// Accepts clients and hands each to the I/O thread with the fewest sessions. (SO_REUSEPORT with an acceptor per thread
// was the other choice: the kernel then spreads by a hash, which leaves a few long-lived connections on one thread.)
// Limits of connections are kept here, before anything is spent on them. Runs on the first I/O thread.

#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "protocol/result.hpp"
#include "proxy/net/io_thread.hpp"
#include "proxy/net/listen_socket.hpp"

namespace sluice::proxy {

class listener {
public:
    listener(std::shared_ptr<environment> surroundings, std::vector<std::shared_ptr<io_thread>> threads);

    /// Opens all endpoints or none; to be called before the threads start. The error says what and why.
    [[nodiscard]] result<void, start_error> open();
    /// Begins to accept.
    void start();
    /// Thread-safe. The endpoints are closed, sometime soon.
    void stop();
    /// These two stay good after stop().
    [[nodiscard]] std::uint16_t port() const noexcept;
    [[nodiscard]] std::vector<std::string> endpoints() const;

private:
    struct door {
        listen_socket socket;
        boost::asio::steady_timer retry_timer;
    };

    void accept_next(door& at);
    void on_accepted(const boost::system::error_code& error, stream_socket client, door& at, io_thread& home);
    [[nodiscard]] bool refuse(stream_socket& client);
    [[nodiscard]] io_thread& least_busy() noexcept;

    std::shared_ptr<environment> surroundings_;
    std::vector<std::shared_ptr<io_thread>> threads_;
    std::vector<std::unique_ptr<door>> doors_;
    std::size_t next_thread_ = 0;
};

}  // namespace sluice::proxy

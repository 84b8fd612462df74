#pragma once

// A connection to the server: name look-up, one address after the other, and all of it again while the server is down
// and that is to be waited for. One attempt per object; on one I/O thread.

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/error_code.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "proxy/net/channel.hpp"
#include "proxy/net/proxy_server.hpp"

namespace sluice::proxy {

struct upstream_result {
    boost::system::error_code error;
    std::string message;   ///< "Can't connect to MySQL server on 'host:3306' (Connection refused)"
    stream_socket socket;  ///< connected unless there is an error
};

/// "Can't connect to MySQL server on 'host:3306' (why)", or to a local one through its socket.
[[nodiscard]] std::string unreachable_text(const proxy_options& options, const std::string& why);

class upstream_attempt : public std::enable_shared_from_this<upstream_attempt> {
public:
    using callback = std::function<void(upstream_result)>;

    /// The options must outlive it.
    upstream_attempt(boost::asio::io_context& context, const proxy_options& options);

    /// Calls back once, never from inside; not after cancel(). The look-up and each address have the connect limit.
    void start(callback done);
    void cancel();

private:
    using tcp = boost::asio::ip::tcp;
    using error_code = boost::system::error_code;
    using any_endpoint = boost::asio::generic::stream_protocol::endpoint;

    void look_up();
    void on_found(const error_code& error, std::vector<any_endpoint> found);
    void connect_next();
    void on_connected(const error_code& error);
    void try_again(const error_code& error);
    void finish(const error_code& error);
    /// Calls `expired` unless another step has begun by then.
    void limit_step(std::chrono::milliseconds after, std::function<void()> expired);

    boost::asio::io_context& context_;
    const proxy_options& options_;
    tcp::resolver resolver_;
    boost::asio::steady_timer timer_;
    stream_socket socket_;
    std::vector<any_endpoint> addresses_;
    std::size_t next_address_ = 0;
    std::chrono::steady_clock::time_point give_up_at_;
    std::chrono::milliseconds pause_;
    std::uint64_t step_ = 0;  // handlers of an earlier one are too late
    callback done_;
};

}  // namespace sluice::proxy

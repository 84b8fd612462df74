#pragma once

// A connection to the server: name look-up, connect, socket options. One attempt per object; on one I/O thread.

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "proxy/net/channel.hpp"

namespace sluice::proxy {

struct upstream_result {
    boost::system::error_code error;
    std::string message;   ///< "Can't connect to MySQL server on 'host:3306' (Connection refused)"
    stream_socket socket;  ///< connected unless there is an error
};

class upstream_attempt : public std::enable_shared_from_this<upstream_attempt> {
public:
    using tcp = boost::asio::ip::tcp;
    using callback = std::function<void(upstream_result)>;

    upstream_attempt(boost::asio::io_context& context, std::string host, std::uint16_t port);

    /// Calls back once, never from inside; not after cancel().
    void start(callback done);
    void cancel();

private:
    void connect(tcp::resolver::results_type found);
    void finish(const boost::system::error_code& error);

    tcp::resolver resolver_;
    std::string host_;
    std::uint16_t port_;
    tcp::socket socket_;
    callback done_;
};

}  // namespace sluice::proxy

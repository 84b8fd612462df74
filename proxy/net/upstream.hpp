#pragma once

// A connection to the server: name look-up, connect, socket options. One attempt per object; on one I/O thread.

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace sluice::proxy {

struct upstream_result {
    boost::system::error_code error;
    std::string message;  ///< "Can't connect to MySQL server on 'host:3306' (Connection refused)"
};

class upstream_attempt : public std::enable_shared_from_this<upstream_attempt> {
public:
    using tcp = boost::asio::ip::tcp;
    using callback = std::function<void(const upstream_result&)>;

    upstream_attempt(boost::asio::io_context& context, std::string host, std::uint16_t port);

    /// Calls back once, never from inside; not after cancel().
    void start(tcp::socket& socket, callback done);
    void cancel();

private:
    void connect(tcp::resolver::results_type found);
    void finish(const boost::system::error_code& error);

    tcp::resolver resolver_;
    std::string host_;
    std::uint16_t port_;
    tcp::socket* socket_ = nullptr;
    callback done_;
};

/// TCP_NODELAY, keepalive, non-blocking. Errors are ignored: the connection is then only less good.
void set_relay_options(boost::asio::ip::tcp::socket& socket);

}  // namespace sluice::proxy

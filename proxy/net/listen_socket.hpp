#pragma once

// One endpoint that clients connect to, open: a TCP port or a Unix socket with its file. One thread.

#include <sys/types.h>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <string>

#include "protocol/result.hpp"
#include "proxy/net/proxy_server.hpp"

namespace sluice::proxy {

class listen_socket {
public:
    using acceptor_type = boost::asio::basic_socket_acceptor<boost::asio::generic::stream_protocol>;

    /// Binds and listens. A socket's file that is there already is replaced when nobody listens there. The error says
    /// what and why: "cannot listen on 127.0.0.1:3306: Address already in use".
    [[nodiscard]] static result<listen_socket, start_error> open(boost::asio::io_context& context,
                                                                 const listen_endpoint& where, unsigned unix_mode);
    listen_socket(listen_socket&& other) noexcept;
    listen_socket& operator=(listen_socket&&) = delete;
    ~listen_socket() { close(); }

    [[nodiscard]] acceptor_type& acceptor() noexcept { return acceptor_; }
    /// Stops to listen and removes the socket's file, unless it is another one's by now. Harmless when closed.
    void close() noexcept;

    /// 0: a Unix socket.
    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    /// "127.0.0.1:6033", "[::1]:6033", "unix:/run/sluice/mysql.sock"
    [[nodiscard]] const std::string& text() const noexcept { return text_; }

private:
    explicit listen_socket(boost::asio::io_context& context) : acceptor_(context) {}
    [[nodiscard]] boost::system::error_code open_tcp(const listen_endpoint& where);
    [[nodiscard]] boost::system::error_code open_unix(const std::string& path, unsigned mode);

    acceptor_type acceptor_;
    std::uint16_t port_ = 0;
    std::string text_;
    std::string unix_path_;  // of a file of ours
    dev_t file_device_ = 0;
    ino_t file_inode_ = 0;
};

}  // namespace sluice::proxy

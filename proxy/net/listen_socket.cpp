#include "proxy/net/listen_socket.hpp"

#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/system/errc.hpp>
#include <cerrno>
#include <utility>

#include "proxy/net/socket_address.hpp"

namespace sluice::proxy {

namespace asio = boost::asio;
namespace errc = boost::system::errc;
using boost::system::error_code;

namespace {

constexpr int backlog = 1024;

std::string text_of(const listen_endpoint& where, std::uint16_t port) {
    if (!where.unix_path.empty()) return "unix:" + where.unix_path;
    const bool brackets = where.address.find(':') != std::string::npos;
    return (brackets ? "[" + where.address + "]" : where.address) + ":" + std::to_string(port);
}

error_code last_error() { return {errno, boost::system::system_category()}; }

/// Makes room for a socket's file: whoever ended without removing it left one where nobody listens.
error_code remove_stale(const std::string& path) {
    struct stat found {};
    if (::lstat(path.c_str(), &found) != 0) return errno == ENOENT ? error_code{} : last_error();
    if (!S_ISSOCK(found.st_mode)) return errc::make_error_code(errc::file_exists);
    asio::io_context context;
    asio::local::stream_protocol::socket probe(context);
    error_code error;
    probe.open(asio::local::stream_protocol(), error);
    if (!error) probe.non_blocking(true, error);  // a listener with a full queue would make it wait
    if (error) return error;
    probe.connect(asio::local::stream_protocol::endpoint(path), error);
    if (error != asio::error::connection_refused) return errc::make_error_code(errc::address_in_use);
    return ::unlink(path.c_str()) == 0 ? error_code{} : last_error();
}

}  // namespace

result<listen_socket, start_error> listen_socket::open(asio::io_context& context, const listen_endpoint& where,
                                                       unsigned unix_mode) {
    listen_socket made(context);
    const auto error = where.unix_path.empty() ? made.open_tcp(where) : made.open_unix(where.unix_path, unix_mode);
    if (error) return start_error{"cannot listen on " + text_of(where, where.port) + ": " + error.message()};
    made.text_ = text_of(where, made.port_);
    return made;
}

listen_socket::listen_socket(listen_socket&& other) noexcept
    : acceptor_(std::move(other.acceptor_)),
      port_(other.port_),
      text_(std::move(other.text_)),
      unix_path_(std::exchange(other.unix_path_, {})),
      file_device_(other.file_device_),
      file_inode_(other.file_inode_) {}

error_code listen_socket::open_tcp(const listen_endpoint& where) {
    error_code error;
    const auto address = asio::ip::make_address(where.address, error);
    if (error) return error;
    const asio::ip::tcp::endpoint endpoint(address, where.port);
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
    // As mysqld's bind_address: "::" is every address of both versions, another IPv6 address itself alone.
    if (!error && address.is_v6()) acceptor_.set_option(asio::ip::v6_only(!address.is_unspecified()), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(backlog, error);
    if (error) return error;
    const auto bound = acceptor_.local_endpoint(error);
    port_ = to_stream_address(bound).port;
    return error;
}

error_code listen_socket::open_unix(const std::string& path, unsigned mode) {
    if (path.size() >= sizeof(sockaddr_un::sun_path)) return errc::make_error_code(errc::filename_too_long);
    if (const auto error = remove_stale(path)) return error;
    error_code error;
    const asio::local::stream_protocol::endpoint endpoint(path);
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (error) return error;
    unix_path_ = path;
    struct stat made {};
    // The mode comes before the first connection is possible.
    if (::lstat(path.c_str(), &made) != 0 || ::chmod(path.c_str(), mode) != 0) return last_error();
    file_device_ = made.st_dev;
    file_inode_ = made.st_ino;
    acceptor_.listen(backlog, error);
    return error;
}

void listen_socket::close() noexcept {
    error_code ignored;
    acceptor_.close(ignored);
    if (unix_path_.empty()) return;
    struct stat there {};
    if (::lstat(unix_path_.c_str(), &there) == 0 && there.st_dev == file_device_ && there.st_ino == file_inode_) {
        ::unlink(unix_path_.c_str());
    }
    unix_path_.clear();
}

}  // namespace sluice::proxy

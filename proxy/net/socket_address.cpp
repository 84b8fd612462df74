#include "proxy/net/socket_address.hpp"

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <cstring>

namespace sluice::proxy {

namespace asio = boost::asio;
using protocol::stream_address;
using protocol::stream_kind;

stream_address to_stream_address(const asio::generic::stream_protocol::endpoint& end) {
    const auto family = end.protocol().family();
    if (family == AF_UNIX) return {stream_kind::local_socket, {}, 0};
    if (family != AF_INET && family != AF_INET6) return {};
    asio::ip::tcp::endpoint ip_end;
    ip_end.resize(end.size());
    std::memcpy(ip_end.data(), end.data(), end.size());
    stream_address address{stream_kind::ip, {}, ip_end.port()};
    if (ip_end.address().is_v4()) {
        const auto bytes = ip_end.address().to_v4().to_bytes();
        std::copy(bytes.begin(), bytes.end(), address.ip.bytes.begin());
    } else {
        address.ip.is_v6 = true;
        address.ip.bytes = ip_end.address().to_v6().to_bytes();
        address.ip = protocol::unmapped(address.ip);
    }
    return address;
}

stream_address remote_address(const stream_socket& socket) {
    boost::system::error_code error;
    const auto end = socket.remote_endpoint(error);
    return error ? stream_address{} : to_stream_address(end);
}

stream_address local_address(const stream_socket& socket) {
    boost::system::error_code error;
    const auto end = socket.local_endpoint(error);
    return error ? stream_address{} : to_stream_address(end);
}

}  // namespace sluice::proxy

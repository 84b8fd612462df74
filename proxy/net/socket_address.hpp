#pragma once

// The two ends of a connected socket as values. IPv4 addresses that come in IPv6's form are given as IPv4.

#include "protocol/wire/ip_address.hpp"
#include "proxy/net/channel.hpp"

namespace sluice::proxy {

/// Of kind unknown when the connection is broken.
[[nodiscard]] protocol::stream_address remote_address(const stream_socket& socket);
[[nodiscard]] protocol::stream_address local_address(const stream_socket& socket);

[[nodiscard]] protocol::stream_address to_stream_address(const boost::asio::generic::stream_protocol::endpoint& end);

}  // namespace sluice::proxy

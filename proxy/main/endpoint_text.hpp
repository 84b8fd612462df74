#pragma once

// host:port, and other places to connect to, as people write them.

#include "protocol/result.hpp"
#include "proxy/net/proxy_server.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice {

struct endpoint {
    std::string host;  ///< IPv6 addresses without their brackets
    std::uint16_t port = 0;
};

/// "127.0.0.1:3306", "[::1]:3306", "db.example:3306". nullopt without a host, without a port, or with a port over
/// 65535.
[[nodiscard]] std::optional<endpoint> parse_endpoint(std::string_view text);

/// The opposite; brackets where the host has colons.
[[nodiscard]] std::string to_text(const endpoint& e);

/// Where clients connect: address:port as above ("localhost" is 127.0.0.1, other names are no addresses), or "unix:"
/// and the path of a socket. The error goes on from the key's name: "must be ...".
[[nodiscard]] result<proxy::listen_endpoint, std::string> parse_listen_endpoint(std::string_view text);

/// An IPv4 or IPv6 address, not a name.
[[nodiscard]] bool is_ip_address(const std::string& host);

}  // namespace sluice

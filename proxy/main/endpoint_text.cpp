#include "proxy/main/endpoint_text.hpp"

#include <boost/asio/ip/address.hpp>

#include <charconv>

#include <sys/un.h>

namespace sluice {

std::optional<endpoint> parse_endpoint(std::string_view text) {
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos || colon == 0) return std::nullopt;
    std::string_view host = text.substr(0, colon);
    const std::string_view digits = text.substr(colon + 1);
    const bool bracketed = host.starts_with('[') && host.ends_with(']');
    if (bracketed) host = host.substr(1, host.size() - 2);
    // Without brackets the last part of an IPv6 address would be taken for a port.
    if (!bracketed && host.find(':') != std::string_view::npos) return std::nullopt;
    if (host.empty() || host.find(' ') != std::string_view::npos) return std::nullopt;
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    return endpoint{std::string(host), port};
}

std::string to_text(const endpoint& e) {
    const bool brackets = e.host.find(':') != std::string::npos;
    return (brackets ? "[" + e.host + "]" : e.host) + ":" + std::to_string(e.port);
}

result<proxy::listen_endpoint, std::string> parse_listen_endpoint(std::string_view text) {
    constexpr std::string_view unix_prefix = "unix:";
    constexpr std::size_t path_size_max = sizeof(sockaddr_un::sun_path) - 1;  // it ends in a NUL
    if (text.starts_with(unix_prefix)) {
        const std::string path(text.substr(unix_prefix.size()));
        if (path.empty() || path.find('\0') != std::string::npos)
            return std::string("must have a path behind \"unix:\"");
        if (path.size() > path_size_max) {
            return "has a socket's path of " + std::to_string(path.size()) + " bytes, and the system takes " +
                   std::to_string(path_size_max);
        }
        return proxy::listen_endpoint{.address = {}, .port = 0, .unix_path = path};
    }
    auto parsed = parse_endpoint(text);
    if (parsed && parsed->host == "localhost") parsed->host = "127.0.0.1";
    if (!parsed || !is_ip_address(parsed->host)) {
        return "must be address:port, such as \"127.0.0.1:6033\" or \"[::1]:6033\", or \"unix:\" and a path, not \"" +
               std::string(text) + "\"";
    }
    return proxy::listen_endpoint{.address = parsed->host, .port = parsed->port, .unix_path = {}};
}

bool is_ip_address(const std::string& host) {
    boost::system::error_code error;
    boost::asio::ip::make_address(host, error);
    return !error;
}

}  // namespace sluice

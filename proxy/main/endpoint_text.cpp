#include "proxy/main/endpoint_text.hpp"

#include <boost/asio/ip/address.hpp>

#include <charconv>

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

bool is_ip_address(const std::string& host) {
    boost::system::error_code error;
    boost::asio::ip::make_address(host, error);
    return !error;
}

}  // namespace sluice

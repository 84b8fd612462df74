#include "proxy/net/trusted_networks.hpp"

#include <algorithm>
#include <charconv>

namespace sluice::proxy {
namespace {

/// The address with everything behind the prefix cleared.
protocol::ip_address prefix_of(protocol::ip_address address, unsigned bits) noexcept {
    for (unsigned i = 0; i < address.bytes.size(); ++i) {
        const unsigned kept = std::clamp<int>(static_cast<int>(bits) - static_cast<int>(i * 8), 0, 8);
        address.bytes[i] = static_cast<std::uint8_t>(address.bytes[i] & (0xFF00U >> kept));
    }
    return address;
}

}  // namespace

std::optional<trusted_networks::network> trusted_networks::parse_network(std::string_view text) {
    const auto slash = text.find('/');
    const auto base = protocol::parse_ip_address(text.substr(0, slash));
    if (!base) return std::nullopt;
    const unsigned bits_max = base->is_v6 ? 128 : 32;
    network made{*base, bits_max};
    if (slash != std::string_view::npos) {
        const auto digits = text.substr(slash + 1);
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), made.prefix_bits);
        if (error != std::errc{} || end != digits.data() + digits.size() || made.prefix_bits > bits_max) {
            return std::nullopt;
        }
    }
    if (prefix_of(made.base, made.prefix_bits) != made.base) return std::nullopt;
    return made;
}

result<trusted_networks, std::string> trusted_networks::parse(const std::vector<std::string>& entries) {
    trusted_networks made;
    for (const auto& entry : entries) {
        if (entry == "unix") {
            made.unix_sockets_ = true;
            continue;
        }
        const auto parsed = parse_network(entry);
        if (!parsed) {
            return "must have addresses, networks such as \"10.0.0.0/8\" (with no bits behind the prefix) or \"unix\", "
                   "not \"" +
                   entry + "\"";
        }
        made.networks_.push_back(*parsed);
    }
    return made;
}

bool trusted_networks::contains(const protocol::stream_address& address) const noexcept {
    if (address.kind == protocol::stream_kind::local_socket) return unix_sockets_;
    if (address.kind != protocol::stream_kind::ip) return false;
    const auto ip = protocol::unmapped(address.ip);
    return std::any_of(networks_.begin(), networks_.end(), [&](const network& one) {
        return one.base.is_v6 == ip.is_v6 && prefix_of(ip, one.prefix_bits) == one.base;
    });
}

}  // namespace sluice::proxy

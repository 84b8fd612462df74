#pragma once

// The networks whose connections begin with a PROXY header, and are believed.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/result.hpp"
#include "protocol/wire/ip_address.hpp"

namespace sluice::proxy {

class trusted_networks {
public:
    /// Each entry an address ("::1"), a network ("10.0.0.0/8"; bits behind the prefix must be zero) or the word "unix"
    /// for Unix sockets. The error says which entry is none of these.
    [[nodiscard]] static result<trusted_networks, std::string> parse(const std::vector<std::string>& entries);

    /// IPv4 addresses mapped into IPv6 are looked up as IPv4. Never contains an unknown address.
    [[nodiscard]] bool contains(const protocol::stream_address& address) const noexcept;

private:
    struct network {
        protocol::ip_address base;
        unsigned prefix_bits = 0;
    };
    [[nodiscard]] static std::optional<network> parse_network(std::string_view text);

    std::vector<network> networks_;
    bool unix_sockets_ = false;
};

}  // namespace sluice::proxy

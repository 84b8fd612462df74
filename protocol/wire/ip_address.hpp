#pragma once

// An IPv4 or IPv6 address, and the address of one end of a stream, as values: no sockets. Text forms: RFC 4291 section
// 2.2 is read (without zones), RFC 5952 section 4 is written.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::protocol {

struct ip_address {
    bool is_v6 = false;
    std::array<std::uint8_t, 16> bytes{};  ///< network order; the first four for IPv4, the rest zero

    [[nodiscard]] bool operator==(const ip_address&) const = default;
};

/// "10.0.0.1", "2001:db8::1", "::ffff:10.0.0.1"; nothing for anything else (names, brackets, zones, leading zeros).
[[nodiscard]] std::optional<ip_address> parse_ip_address(std::string_view text);
[[nodiscard]] std::string to_text(const ip_address& address);

/// The IPv4 address that is mapped into this one (::ffff:a.b.c.d); otherwise the address itself.
[[nodiscard]] ip_address unmapped(const ip_address& address) noexcept;

enum class stream_kind : std::uint8_t {
    unknown,
    ip,            ///< TCP over either version
    local_socket,  ///< a Unix socket
};

/// One end of a connection.
struct stream_address {
    stream_kind kind = stream_kind::unknown;
    ip_address ip;           ///< when kind is ip
    std::uint16_t port = 0;  ///< likewise

    [[nodiscard]] bool operator==(const stream_address&) const = default;
};

/// "10.0.0.1:4711", "[::1]:4711", "localhost" (a Unix socket, in the servers' words), "?".
[[nodiscard]] std::string to_text(const stream_address& address);

}  // namespace sluice::protocol

#pragma once

// The header by which a load balancer says for whom it has opened a connection. Version 1 is a line of text of at most
// 107 bytes, version 2 is binary. Source: "The PROXY protocol, versions 1 & 2", doc/proxy-protocol.txt of HAProxy.

#include "protocol/wire/bytes.hpp"
#include "protocol/wire/error.hpp"
#include "protocol/wire/ip_address.hpp"

#include <optional>

namespace sluice::protocol {

/// Longest header that is taken; the format allows 64 KiB of extensions behind the addresses.
inline constexpr std::size_t proxy_header_size_max = 4096;

struct proxy_header {
    /// Of kind unknown when the header does not name them (LOCAL, UNKNOWN, UNSPEC): then the connection's own count.
    stream_address source;
    stream_address destination;

    [[nodiscard]] bool operator==(const proxy_header&) const = default;
};

struct read_proxy_header {
    proxy_header header;
    std::size_t size = 0;  ///< of the header: what comes behind it is the connection's first byte
};

/// Looks at the first bytes of a connection; nothing while the header is not complete. Any byte after which these
/// cannot become a header is an error at once: malformed, or too_large.
[[nodiscard]] wire_result<std::optional<read_proxy_header>> parse_proxy_header(byte_view bytes);

/// Version 2. LOCAL unless both ends are of kind ip; ends of different versions are both written as IPv6.
void serialise(byte_buffer& out, const proxy_header& header);

}  // namespace sluice::protocol

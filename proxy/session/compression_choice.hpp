#pragma once

// Whether and how each side of a session is compressed. The sides are independent: clients are offered what the
// configuration says, whatever the server has, and the server is asked for what the configuration says if it offers
// that. Of a client that takes both, zlib is used, as in MySQL 9.7.

#include "protocol/message/capabilities.hpp"
#include "protocol/wire/compressed_frame.hpp"

namespace sluice::session {

struct compression_rules {
    bool offers_zlib = false;  ///< to clients
    bool offers_zstd = false;
    protocol::compression_algorithm to_server = protocol::compression_algorithm::none;
    int server_zstd_level = protocol::zstd_level_default;  ///< 1 .. 22
};

/// The flag by which an algorithm is offered and taken.
[[nodiscard]] constexpr protocol::capability_flags compression_flag(
    protocol::compression_algorithm algorithm) noexcept {
    switch (algorithm) {
        case protocol::compression_algorithm::zlib: return protocol::capability::compress;
        case protocol::compression_algorithm::zstd: return protocol::capability::zstd_compression;
        case protocol::compression_algorithm::none: return 0;
    }
    return 0;
}

/// For the greeting that the client gets.
[[nodiscard]] constexpr protocol::capability_flags offered_compression(const compression_rules& rules) noexcept {
    return (rules.offers_zlib ? protocol::capability::compress : 0) |
           (rules.offers_zstd ? protocol::capability::zstd_compression : 0);
}

[[nodiscard]] constexpr protocol::compression_algorithm client_compression(const compression_rules& rules,
                                                                           protocol::capability_flags client) noexcept {
    const auto agreed = client & offered_compression(rules);
    if (protocol::has(agreed, protocol::capability::compress)) return protocol::compression_algorithm::zlib;
    if (protocol::has(agreed, protocol::capability::zstd_compression)) return protocol::compression_algorithm::zstd;
    return protocol::compression_algorithm::none;
}

[[nodiscard]] constexpr protocol::compression_algorithm server_compression(const compression_rules& rules,
                                                                           protocol::capability_flags server) noexcept {
    return protocol::has(server, compression_flag(rules.to_server)) ? rules.to_server
                                                                    : protocol::compression_algorithm::none;
}

}  // namespace sluice::session

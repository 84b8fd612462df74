// Whole sessions over real sockets in small pieces: the client sends so many bytes at a time, and a relay hands the
// server's bytes to the proxy likewise, each piece when the one before has been read.

#include "tests/integration/oracle/rig.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/wire_relay.hpp"

#include <atomic>

namespace sluice::test::oracle {
namespace {

// Above this, the smallest pieces would take too long.
constexpr std::size_t small_pieces_max = 12'000;
constexpr std::size_t carried_pieces_max = 4'000;

protocol::compression_algorithm algorithm_of(wire::compression kind) {
    switch (kind) {
        case wire::compression::zlib: return protocol::compression_algorithm::zlib;
        case wire::compression::zstd: return protocol::compression_algorithm::zstd;
        case wire::compression::none: break;
    }
    return protocol::compression_algorithm::none;
}

std::size_t size_of(const transcript& of) {
    std::size_t size = 0;
    for (const auto& one : of.record) size += one.bytes.size();
    return size;
}

TEST_CASE("sessions in pieces", "[pieces]") {
    findings found;
    std::atomic<std::uint64_t> sent = 0;
    std::atomic<std::uint64_t> seen_read = 0;
    on_every_server(found, [&](rig& server) {
        for (const std::size_t piece : {1, 2, 3, 5, 4095}) {
            wire::chopping_relay relay(server.port());
            relay.set_piece_size(piece);
            proxy::proxy_options options;
            options.server_port = relay.port();
            const auto proxied = server.start_proxy(options);
            const auto offered = server.offered_at(proxied->port());
            // Both ways of ending rows, in turn.
            const auto& as = mode_named(piece % 2 == 0 ? "classic" : "modern");
            for (const auto& script : corpus()) {
                if (!applies(script, server.kind(), as, offered) || script.is_cold || script.is_alone ||
                    script.is_large) {
                    continue;
                }
                if (script.fresh_schema && server.kind() != server_kind::mysql_9_7 && piece > 1) continue;
                const auto& direct = server.direct(script, as, {}, offered);
                if (piece < 4095 && size_of(direct) > small_pieces_max) continue;
                const setting where{script, server.kind(), as.name, "in pieces of " + std::to_string(piece)};
                const auto through = server.run_fresh(script, {proxied->port(), server.kind(), as, {}, piece, false});
                found.add(difference(where, direct, through));
                sent += through.pieces.sent;
                seen_read += through.pieces.seen_read;
            }
            proxied->stop(std::chrono::milliseconds(0));
            const auto pieces = relay.pieces();
            sent += pieces.sent;
            seen_read += pieces.seen_read;
        }
    });
    // Now and then a reader is late; most pieces must have been read one by one, or nothing was shown.
    CHECK(sent > 1000);
    CHECK(seen_read > sent / 10 * 9);
}

// Behind TLS and compression a record or a frame is cut, wherever the packets inside it end.
TEST_CASE("sessions in pieces through TLS and compression", "[pieces]") {
    const transport_kind ways[] = {{"TLS", true, wire::compression::none},
                                   {"zlib", false, wire::compression::zlib},
                                   {"TLS and zstd", true, wire::compression::zstd}};
    findings found;
    std::atomic<std::uint64_t> sent = 0;
    std::atomic<std::uint64_t> seen_read = 0;
    on_every_server(found, [&](rig& server) {
        for (const auto& over : ways) {
            // Where TLS carries zstd it need not be shown alone, too.
            const bool shown_with_zstd = over.compressed == wire::compression::none && server.speaks(ways[2]);
            if (!server.speaks(over) || shown_with_zstd) continue;
            wire::chopping_relay relay(server.port());
            relay.set_piece_size(1);
            proxy::proxy_options options;
            options.server_port = relay.port();
            options.tls.client.mode = proxy::client_tls_mode::preferred;
            if (over.tls) options.tls.server.mode = proxy::server_tls_mode::required;
            options.compression.to_server = algorithm_of(over.compressed);
            const auto proxied = server.start_proxy(options);
            const auto offered = server.offered_at(proxied->port());
            const auto& as = mode_named(over.tls ? "modern" : "classic");
            for (const auto& script : corpus()) {
                if (script.is_large || script.is_plain_only || script.is_cold || script.is_alone ||
                    script.fresh_schema || !applies(script, server.kind(), as, offered) ||
                    size_of(server.direct(script, as, {}, offered)) > carried_pieces_max) {
                    continue;
                }
                const setting where{script, server.kind(), as.name, over.name + " in pieces of 1, on both sides"};
                const auto& direct = server.direct(script, as, over, offered);
                const auto through = server.run_fresh(script, {proxied->port(), server.kind(), as, over, 1, false});
                found.add(difference(where, direct, through));
                sent += through.pieces.sent;
                seen_read += through.pieces.seen_read;
            }
            proxied->stop(std::chrono::milliseconds(0));
            const auto pieces = relay.pieces();
            sent += pieces.sent;
            seen_read += pieces.seen_read;
        }
    });
    CHECK(sent > 1000);
    CHECK(seen_read > sent / 10 * 9);
}

}  // namespace
}  // namespace sluice::test::oracle

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

/// How a session is cut, and what carries it on both sides of the proxy.
struct cut {
    std::size_t piece = 1;
    transport_kind over;
    std::vector<const char*> modes;

    [[nodiscard]] bool is_carried() const { return over.tls || over.compressed != wire::compression::none; }
};

bool is_shown(const script& what, rig& server, const mode& as, const cut& how, std::uint64_t offered) {
    if (what.is_large || what.is_cold || what.is_alone || !applies(what, server.kind(), as, offered)) return false;
    if (how.is_carried()) {
        if (what.is_plain_only || what.fresh_schema) return false;
    } else if (what.fresh_schema && server.kind() != server_kind::mysql_9_7 && how.piece > 1) {
        return false;
    }
    const auto most = how.is_carried() ? carried_pieces_max : small_pieces_max;
    return how.piece == 4095 || size_of(server.direct(what, as, {}, offered)) <= most;
}

/// Runs the corpus in pieces, and counts them.
class chopper {
public:
    void run(rig& server, const cut& how) {
        wire::chopping_relay relay(server.port());
        relay.set_piece_size(how.piece);
        proxy::proxy_options options;
        options.server_port = relay.port();
        if (how.is_carried()) options.tls.client.mode = proxy::client_tls_mode::preferred;
        if (how.over.tls) options.tls.server.mode = proxy::server_tls_mode::required;
        options.compression.to_server = algorithm_of(how.over.compressed);
        const auto proxied = server.start_proxy(options);
        const auto offered = server.offered_at(proxied->port());
        const auto in_pieces = how.over.name + " in pieces of " + std::to_string(how.piece);
        for (const char* name : how.modes) {
            const auto& as = mode_named(name);
            for (const auto& script : corpus()) {
                if (!is_shown(script, server, as, how, offered)) continue;
                const setting where{script, server.kind(), as.name, in_pieces};
                const auto& direct = server.direct(script, as, how.over, offered);
                const auto through =
                    server.run_fresh(script, {proxied->port(), server.kind(), as, how.over, how.piece, false});
                found.add(difference(where, direct, through));
                count(through.pieces);
            }
        }
        proxied->stop(std::chrono::milliseconds(0));
        count(relay.pieces());
    }
    // Now and then a reader is late; most pieces must have been read one by one, or nothing was shown.
    void check() const {
        CHECK(sent_ > 1000);
        CHECK(seen_read_ > sent_ / 10 * 9);
    }

    findings found;

private:
    template <class Pieces>
    void count(const Pieces& pieces) {
        sent_ += pieces.sent;
        seen_read_ += pieces.seen_read;
    }

    std::atomic<std::uint64_t> sent_ = 0;
    std::atomic<std::uint64_t> seen_read_ = 0;
};

TEST_CASE("sessions in pieces", "[pieces]") {
    chopper all;
    on_every_server(all.found, [&](rig& server) {
        for (const std::size_t piece : {1, 2, 3, 5, 4095}) {
            // Both ways of ending rows, in turn.
            all.run(server,
                    {piece, {"plain", false, wire::compression::none}, {piece % 2 == 0 ? "classic" : "modern"}});
        }
    });
    all.check();
}

// Behind TLS and compression a record or a frame is cut, wherever the packets inside it end.
TEST_CASE("sessions in pieces through TLS and compression", "[pieces]") {
    const transport_kind ways[] = {{"TLS", true, wire::compression::none},
                                   {"zlib", false, wire::compression::zlib},
                                   {"TLS and zstd", true, wire::compression::zstd}};
    chopper all;
    on_every_server(all.found, [&](rig& server) {
        for (const auto& over : ways) {
            // Where TLS carries zstd it need not be shown alone, too.
            const bool shown_with_zstd = over.compressed == wire::compression::none && server.speaks(ways[2]);
            if (server.speaks(over) && !shown_with_zstd) all.run(server, {1, over, {"classic", "modern"}});
        }
    });
    all.check();
}

}  // namespace
}  // namespace sluice::test::oracle

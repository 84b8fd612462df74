// Packets around and far above the largest frame. One server at a time, and nothing is kept: these are megabytes.

#include "tests/integration/oracle/rig.hpp"
#include "tests/support/catch.hpp"

namespace sluice::test::oracle {
namespace {

TEST_CASE("large packets", "[pieces]") {
    findings found;
    for (const auto kind : servers()) {
        auto& server = rig::of(kind);
        const auto proxied = server.start_proxy({});
        const auto offered = server.offered_at(proxied->port());
        const bool modern = kind == server_kind::mysql_9_7;
        const auto& as = mode_named(modern ? "modern" : "classic");
        for (const auto& script : corpus()) {
            if (!script.is_large || !applies(script, kind, as, offered)) continue;
            const setting where{script, kind, as.name, "through the proxy"};
            const auto direct = server.run_fresh(script, {server.port(), kind, as, {}, 0, false});
            found.add(unexpected(where, direct));
            found.add(difference(where, direct, server.run_fresh(script, {proxied->port(), kind, as, {}, 0, false})));
        }
    }
}

// What carries them cuts them once more: records of TLS, and frames that are as large as packets.
TEST_CASE("large packets through TLS and compression", "[pieces]") {
    const transport_kind ways[] = {{"TLS", true, wire::compression::none}, {"zlib", false, wire::compression::zlib}};
    findings found;
    const auto run_over = [&](rig& server, const transport_kind& over) {
        proxy::proxy_options options;
        options.tls.client.mode = proxy::client_tls_mode::preferred;
        if (over.tls) options.tls.server.mode = proxy::server_tls_mode::required;
        if (!over.tls) options.compression.to_server = protocol::compression_algorithm::zlib;
        const auto proxied = server.start_proxy(options);
        const auto offered = server.offered_at(proxied->port());
        const auto& as = mode_named("modern");
        for (const auto& script : corpus()) {
            if (!script.is_large || script.is_plain_only || !applies(script, server.kind(), as, offered)) continue;
            const setting where{script, server.kind(), as.name, over.name + " on both sides"};
            const auto direct = server.run_fresh(script, {server.port(), server.kind(), as, over, 0, false});
            found.add(unexpected(where, direct));
            const auto through = server.run_fresh(script, {proxied->port(), server.kind(), as, over, 0, false});
            found.add(difference(where, direct, through));
        }
    };
    for (const auto kind : servers()) {
        for (const auto& over : ways) {
            if (kind == server_kind::mysql_9_7) run_over(rig::of(kind), over);
        }
    }
}

}  // namespace
}  // namespace sluice::test::oracle

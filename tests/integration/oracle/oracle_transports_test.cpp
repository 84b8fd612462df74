// TLS and compression, on either side of the proxy and on both.

#include "tests/integration/oracle/rig.hpp"
#include "tests/support/catch.hpp"

#include <string_view>

namespace sluice::test::oracle {
namespace {

using wire::compression;

const transport_kind plain{"plain", false, compression::none};
const transport_kind with_tls{"TLS", true, compression::none};
const transport_kind with_zlib{"zlib", false, compression::zlib};
const transport_kind with_zstd{"zstd", false, compression::zstd};
const transport_kind with_tls_and_zlib{"TLS and zlib", true, compression::zlib};
const transport_kind with_tls_and_zstd{"TLS and zstd", true, compression::zstd};

struct variant {
    transport_kind over;
    const char* mode;
    bool with_changes = false;  ///< the scripts that change tables, too
};

void run_all(findings& found, rig& server, const std::string& way, const proxy::proxy_options& options,
             const std::vector<variant>& variants) {
    const auto proxied = server.start_proxy(options);
    const auto offered = server.offered_at(proxied->port());
    for (const auto& [over, mode, with_changes] : variants) {
        const auto& as = mode_named(mode);
        std::uint64_t frames_compressed = 0;
        for (const auto& script : corpus()) {
            if (script.is_large || script.is_plain_only || (script.fresh_schema && !with_changes)) continue;
            if (!applies(script, server.kind(), as, offered)) continue;
            const setting where{script, server.kind(), as.name, over.name + " to the proxy, " + way};
            const auto& direct = server.direct(script, as, over, offered);
            const auto through = server.run_fresh(script, {proxied->port(), server.kind(), as, over, 0, false});
            found.add(difference(where, direct, through));
            frames_compressed += through.frames_compressed;
        }
        if (over.compressed != compression::none && frames_compressed == 0 && corpus().size() > 1) {
            found.add("nothing is compressed");
        }
    }
}

TEST_CASE("TLS and compression between client and proxy") {
    findings found;
    on_every_server(found, [&](rig& server) {
        proxy::proxy_options options;
        options.tls.client.mode = proxy::client_tls_mode::preferred;
        // Each with EOF packets and without them.
        std::vector<variant> variants;
        for (const auto& over : {with_tls, with_zlib, with_zstd}) {
            for (const char* mode : {"classic", "modern"}) {
                const bool is_modern = std::string_view(mode) == "modern";
                variants.push_back({over, mode, over.name == (is_modern ? with_tls : with_zlib).name});
            }
        }
        if (server.kind() == server_kind::mariadb_10_11) {
            variants.insert(variants.end(), {{with_tls, "mariadb"}, {with_zlib, "mariadb"}});
        }
        if (server.kind() == server_kind::mysql_9_7) {
            variants.insert(variants.end(), {{with_tls_and_zlib, "classic"}, {with_tls_and_zstd, "modern", true}});
        }
        run_all(found, server, "plain to the server", options, variants);
    });
}

TEST_CASE("TLS and compression between proxy and server") {
    findings found;
    on_every_server(found, [&](rig& server) {
        proxy::proxy_options options;
        options.tls.client.mode = proxy::client_tls_mode::preferred;
        options.compression.to_server = protocol::compression_algorithm::zlib;
        run_all(found, server, "zlib to the server", options, {{plain, "classic", true}});
        if (!server.speaks(with_tls)) return;
        options.tls.server.mode = proxy::server_tls_mode::required;
        run_all(found, server, "TLS and zlib to the server", options, {{with_tls_and_zlib, "modern"}});
        if (!server.speaks(with_zstd)) return;
        options.compression.to_server = protocol::compression_algorithm::zstd;
        run_all(found, server, "TLS and zstd to the server", options, {{plain, "modern"}, {with_zlib, "classic"}});
    });
}

}  // namespace
}  // namespace sluice::test::oracle

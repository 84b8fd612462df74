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

}  // namespace
}  // namespace sluice::test::oracle

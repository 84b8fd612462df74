// Every script, directly and through the proxy: equal, but for the masks.

#include "tests/integration/oracle/rig.hpp"
#include "tests/support/catch.hpp"

namespace sluice::test::oracle {
namespace {

TEST_CASE("scripts do directly what they say") {
    findings found;
    on_every_server(found, [&](rig& server) {
        for (const auto& script : corpus()) {
            for (const auto& as : modes()) {
                if (script.is_large || !applies(script, server.kind(), as, server.offered())) continue;
                const setting where{script, server.kind(), as.name, "directly"};
                found.add(unexpected(where, server.direct(script, as, {}, server.offered())));
            }
        }
    });
}

TEST_CASE("through the proxy, in every mode") {
    findings found;
    on_every_server(found, [&](rig& server) {
        const auto proxied = server.start_proxy({});
        const auto offered = server.offered_at(proxied->port());
        for (const auto& script : corpus()) {
            for (const auto& as : modes()) {
                if (script.is_large || !applies(script, server.kind(), as, offered)) continue;
                const setting where{script, server.kind(), as.name, "through the proxy"};
                const auto& direct = server.direct(script, as, {}, offered);
                const auto through = server.run_fresh(script, {proxied->port(), server.kind(), as, {}, 0, false});
                found.add(difference(where, direct, through));
            }
        }
    });
}

}  // namespace
}  // namespace sluice::test::oracle

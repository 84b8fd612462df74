// What a gate presumes of a swap when nobody tells it, and what it refuses then.

#include "tests/unit/session/running_session.hpp"

namespace sluice::session {
namespace {

TEST_CASE("a swap is announced to a gate that is closed and sealed, or not at all") {
    gate_shard shard({});
    running t(shard);
    shard.watch(0, {"shop", "orders"});
    shard.watch(1, {"shop", "shops"}, {.changes_places = false});
    t.done("BEGIN", in_trans);
    t.done("SELECT * FROM other", in_trans);
    CHECK_FALSE(shard.announce(0));
    shard.close(0, start + 1s);
    shard.close(1, start + 1s);
    CHECK_FALSE(shard.announce(0));
    REQUIRE(shard.seal(0));
    CHECK(shard.announce(0));
    CHECK(shard.announce(1));
    SECTION("another attempt begins anew") {
        shard.close(0, start + 1s);
        REQUIRE(shard.seal(0));
        shard.expire(start + 1s);
        CHECK(t.core.relay().outdated() == 0);
    }
    SECTION("whoever has announced it is gone: it is presumed") {
        shard.unwatch(0);
        CHECK(t.core.relay().outdated() == slot_bit(0));
    }
    SECTION("it was given up") {
        shard.open(0, gate_end::given_up);
        CHECK_FALSE(shard.announce(0));
        CHECK(t.core.relay().outdated() == 0);
    }
}

}  // namespace
}  // namespace sluice::session

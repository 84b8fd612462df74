#include "migration/engine/durable_orders.hpp"
#include "tests/support/catch.hpp"

#include <future>

using sluice::migration::durable_orders;
using namespace std::chrono_literals;

TEST_CASE("the creation is waited for until it is stored") {
    durable_orders orders;
    CHECK_FALSE(orders.wait(0ms));
    orders.stored();
    CHECK(orders.wait(0ms));
}

TEST_CASE("what was said behind the last look is not stored with it") {
    durable_orders orders;
    orders.stored();
    orders.say();
    CHECK(orders.take());
    CHECK_FALSE(orders.take());
    orders.say();
    orders.stored();
    CHECK_FALSE(orders.wait(0ms));
    CHECK(orders.take());
    CHECK_FALSE(orders.wait(0ms));
    orders.stored();
    CHECK(orders.wait(0ms));
}

TEST_CASE("who waits is woken when it is stored, and when nothing more will be") {
    durable_orders orders;
    auto waiting = std::async(std::launch::async, [&] { return orders.wait(1h); });
    SECTION("stored") {
        orders.stored();
        CHECK(waiting.get());
    }
    SECTION("closed") {
        orders.close();
        CHECK_FALSE(waiting.get());
    }
}

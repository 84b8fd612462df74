#pragma once

// Waiting for a migration of a served Sluice by its HTTP API.

#include "proxy/main/demo/served_sluice.hpp"
#include "tests/support/catch.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <thread>

namespace sluice::test {

/// Asks until the migration is in this state; what is shown of it then. Fails the test when it ends in another one, or
/// three minutes pass.
inline boost::json::object wait_for_state(served_sluice& sluice, const std::string& id, std::string_view wanted) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(3);
    while (true) {
        auto now = sluice.admin().get("/v1/migrations/" + id);
        if (!now) FAIL(now.error().message);
        const std::string_view state = now->at("state").as_string();
        if (state == wanted) return *now;
        const bool goes_on = now->at("ended").is_null() && std::chrono::steady_clock::now() < until;
        if (!goes_on) FAIL("migration is " << state << ": " << boost::json::serialize(*now) << '\n' << sluice.log());
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
}

}  // namespace sluice::test

#pragma once

// Waiting for a condition that others bring about, with a limit: what does not come fails the test and is named,
// instead of hanging it.

#include "tests/support/sql_connection.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

namespace sluice::test {

/// Far above what anything takes on a busy machine; a test that comes to it has failed.
inline constexpr std::chrono::seconds wait_limit{60};

/// Asks again and again until the condition holds; false when it does not within the limit. On any thread.
template <class Condition>
[[nodiscard]] bool eventually(Condition condition, std::chrono::milliseconds limit = wait_limit) {
    const auto until = std::chrono::steady_clock::now() + limit;
    // Often enough for what comes at once, and no load for the machine where it takes its time.
    for (std::chrono::milliseconds pause(1); !condition(); pause = std::min(2 * pause, std::chrono::milliseconds(16))) {
        if (std::chrono::steady_clock::now() >= until) return condition();
        std::this_thread::sleep_for(pause);
    }
    return true;
}

/// The same, and throws std::runtime_error that names what did not come. On any thread: assertions are for the test's
/// own one only.
template <class Condition>
void wait_until(std::string_view what, Condition condition, std::chrono::milliseconds limit = wait_limit) {
    if (eventually(condition, limit)) return;
    throw std::runtime_error("waited in vain, for " + std::to_string(limit.count()) + " ms: " + std::string(what));
}

/// Waits until what `count` says has grown by `more`.
template <class Count>
void wait_for_more(std::string_view what, std::uint64_t more, Count count) {
    const std::uint64_t wanted = count() + more;
    wait_until(what, [&] { return count() >= wanted; });
}

/// Waits until this query's one value is `wanted`.
inline void wait_for_value(sql_connection& on, const std::string& query, const std::string& wanted = "1") {
    std::string last;
    if (eventually([&] { return (last = on.scalar(query)) == wanted; })) return;
    throw std::runtime_error("still " + last + ", not " + wanted + ": " + query);
}

}  // namespace sluice::test

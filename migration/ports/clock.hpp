#pragma once

// The time as the engine's bounded waits see it: the machine's, or that of a simulation.

#include <chrono>

namespace sluice::migration {

class clock {
public:
    virtual ~clock() = default;
    [[nodiscard]] virtual std::chrono::steady_clock::time_point now() = 0;
    virtual void sleep_for(std::chrono::milliseconds time) = 0;
};

/// steady_clock and the thread's own sleep. Thread-safe.
[[nodiscard]] clock& real_clock() noexcept;

}  // namespace sluice::migration

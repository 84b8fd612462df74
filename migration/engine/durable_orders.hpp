#pragma once

// What the operator says is answered only when it is stored: a process that is killed just behind the answer must find
// it at its next start.

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace sluice::migration {

/// Counts what was said to a migration, its creation first, and up to where that is stored. Thread-safe; what is said
/// is taken and stored by one thread.
class durable_orders {
public:
    /// Everything that was said up to this call is where take() is followed by reading it.
    void say();
    /// Behind this call the storing thread reads what was said. Returns whether there is something new.
    bool take();
    /// What was taken is stored.
    void stored();
    /// Nothing more will be stored.
    void close();
    /// Waits until everything that has been said by now is stored. Returns false where that takes longer, or where it
    /// will not be.
    [[nodiscard]] bool wait(std::chrono::milliseconds patience);

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::uint64_t said_ = 1;
    std::uint64_t taken_ = 1;
    std::uint64_t stored_ = 0;
    bool closed_ = false;
};

}  // namespace sluice::migration

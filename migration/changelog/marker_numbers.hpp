#pragma once

// Numbers of the changelog's markers. A number is taken before its row is written: where the stream has shown a higher
// one, whatever was committed before this number was taken has been read as well.

#include <atomic>
#include <cstdint>

namespace sluice::migration {

/// Thread-safe.
class marker_numbers {
public:
    /// Markers have ids above it; rows of hints, those of gh-ost's changelog, below.
    static constexpr std::uint64_t first = 1'000'000;

    [[nodiscard]] std::uint64_t take() noexcept { return ++last_; }
    [[nodiscard]] std::uint64_t last() const noexcept { return last_; }
    /// All numbers taken from now on are above this one.
    void go_on_after(std::uint64_t number) noexcept {
        std::uint64_t now = last_;
        while (now < number && !last_.compare_exchange_weak(now, number)) {
        }
    }

private:
    std::atomic<std::uint64_t> last_{first};
};

}  // namespace sluice::migration

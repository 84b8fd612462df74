#pragma once

// How many of one thread's statements took how long: a histogram whose buckets are a sixteenth wide at most, from 1 µs
// to about four minutes; longer ones are in the last. Off until it is asked for. One thread.

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace sluice::session {

class latency_meter {
public:
    static constexpr std::size_t parts = 16;  // of each power of two
    static constexpr unsigned first_power = 4;
    static constexpr unsigned last_power = 27;
    static constexpr std::size_t buckets = (last_power - first_power + 2) * parts;

    [[nodiscard]] bool is_on() const noexcept { return on_; }
    void switch_on(bool on) noexcept { on_ = on; }

    void record(std::chrono::steady_clock::duration took) noexcept {
        if (on_) ++counts_[bucket_of(std::chrono::duration_cast<std::chrono::microseconds>(took))];
    }
    /// Only grow, also from one time of being on to the next.
    [[nodiscard]] const std::array<std::uint64_t, buckets>& counts() const noexcept { return counts_; }

    [[nodiscard]] static std::size_t bucket_of(std::chrono::microseconds took) noexcept {
        const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(took.count(), 0));
        if (value < parts) return value;
        const auto power = static_cast<unsigned>(std::bit_width(value)) - 1;
        if (power > last_power) return buckets - 1;
        return (power - first_power + 1) * parts + ((value >> (power - first_power)) & (parts - 1));
    }
    /// The longest time that belongs to it, the last one's extent aside.
    [[nodiscard]] static std::chrono::microseconds longest_of(std::size_t bucket) noexcept {
        if (bucket < parts) return std::chrono::microseconds(bucket);
        const auto power = bucket / parts - 1;
        return std::chrono::microseconds(((parts + bucket % parts + 1) << power) - 1);
    }

private:
    bool on_ = false;
    std::array<std::uint64_t, buckets> counts_{};
};

}  // namespace sluice::session

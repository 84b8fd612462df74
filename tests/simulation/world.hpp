#pragma once

// A world that a seed decides: its clock stands still unless somebody waits, and whatever is to happen later is an
// event in one queue. Single-threaded; the same seed gives the same run.

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <queue>
#include <string>
#include <utility>
#include <vector>

namespace sluice::simulation {

using time_point = std::chrono::steady_clock::time_point;
using microseconds = std::chrono::microseconds;
using std::chrono::milliseconds;

class world {
public:
    explicit world(std::uint64_t seed, bool traced) : random_(seed * 0x9E3779B97F4A7C15ULL + 1), traced_(traced) {}
    world(const world&) = delete;
    world& operator=(const world&) = delete;

    [[nodiscard]] time_point now() const noexcept { return now_; }
    void at(time_point when, std::function<void()> event) {
        queue_.push({std::max(when, now_), next_++, std::move(event)});
    }
    void after(microseconds time, std::function<void()> event) { at(now_ + time, std::move(event)); }

    /// Lets the world go on until `done`, at the latest until `until`; says whether it is done.
    template <class Done>
    bool run_until(time_point until, Done done) {
        while (!done()) {
            if (queue_.empty() || queue_.top().when > until) {
                now_ = std::max(now_, until);
                return done();
            }
            step();
        }
        return true;
    }
    void run_for(microseconds time) {
        run_until(now_ + time, [] { return false; });
    }
    void step() {
        auto event =
            std::move(const_cast<entry&>(queue_.top()).event);  // NOLINT: a queue lends its top for reading only
        now_ = queue_.top().when;
        queue_.pop();
        event();
    }

    // splitmix64
    std::uint64_t draw() noexcept {
        std::uint64_t z = (random_ += 0x9E3779B97F4A7C15ULL);
        z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
        z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
        return z ^ (z >> 31U);
    }
    std::uint64_t below(std::uint64_t bound) noexcept { return draw() % bound; }
    bool chance(unsigned in_ten_thousand) noexcept { return below(10'000) < in_ten_thousand; }
    microseconds between(std::int64_t from_us, std::int64_t to_us) noexcept {
        return microseconds(from_us +
                            static_cast<std::int64_t>(below(static_cast<std::uint64_t>(to_us - from_us + 1))));
    }

    /// An invariant does not hold. The first one is kept.
    void violated(std::string what) {
        if (traced_) trace("VIOLATED: " + what);
        if (violation_.empty()) violation_ = std::move(what);
    }
    [[nodiscard]] const std::string& violation() const noexcept { return violation_; }
    [[nodiscard]] bool traced() const noexcept { return traced_; }
    void trace(const std::string& what) const {
        if (!traced_) return;
        const auto us = std::chrono::duration_cast<microseconds>(now_.time_since_epoch()).count();
        std::printf("%10.3f ms  %s\n", static_cast<double>(us) / 1000.0, what.c_str());
    }

private:
    struct entry {
        time_point when;
        std::uint64_t order;
        std::function<void()> event;
        bool operator<(const entry& other) const noexcept {
            return when != other.when ? when > other.when : order > other.order;
        }
    };

    std::uint64_t random_;
    bool traced_;
    time_point now_{std::chrono::seconds(1)};
    std::uint64_t next_ = 0;
    std::priority_queue<entry> queue_;
    std::string violation_;
};

}  // namespace sluice::simulation

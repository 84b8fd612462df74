#pragma once

// Steers the number of rows in a chunk so that one chunk takes about the target time. A plain value without locks.

#include <chrono>
#include <cstddef>

namespace sluice::migration {

class chunk_sizer {
public:
    static constexpr std::size_t rows_min = 10;
    static constexpr std::size_t rows_max = 100'000;

    /// fixed: 0 to steer, else the size that never changes. Sizes are clamped to rows_min … rows_max.
    chunk_sizer(std::size_t initial, std::size_t fixed, std::chrono::milliseconds target);

    [[nodiscard]] std::size_t rows() const noexcept { return rows_; }

    /// From now on as if it had been made with this.
    void fix(std::size_t fixed);

    /// A chunk of `copied` rows took `elapsed`. Grows by at most half at a time; shrinks as far as the time says.
    void took(std::size_t copied, std::chrono::microseconds elapsed);
    /// A chunk ran into a deadlock, a lock wait or a size limit: halve.
    void failed();

private:
    std::size_t rows_;
    bool steered_;
    std::size_t fixed_;
    std::chrono::microseconds target_;
};

}  // namespace sluice::migration

#include "migration/copy/chunk_sizer.hpp"

#include <algorithm>

namespace sluice::migration {

chunk_sizer::chunk_sizer(std::size_t initial, std::size_t fixed, std::chrono::milliseconds target)
    : rows_(std::clamp(fixed != 0 ? fixed : initial, rows_min, rows_max)),
      steered_(fixed == 0),
      fixed_(fixed),
      target_(target) {}

void chunk_sizer::fix(std::size_t fixed) {
    if (fixed == fixed_) return;
    fixed_ = fixed;
    steered_ = fixed == 0;
    if (!steered_) rows_ = std::clamp(fixed, rows_min, rows_max);
}

void chunk_sizer::took(std::size_t copied, std::chrono::microseconds elapsed) {
    // A chunk much smaller than asked for (the last one, a sparse range) says nothing about the time of a full one.
    if (!steered_ || copied * 2 < rows_) return;
    const auto per_row = std::max(1.0, static_cast<double>(elapsed.count())) / static_cast<double>(copied);
    const auto wanted = static_cast<double>(target_.count()) / per_row;
    const auto ceiling = static_cast<double>(rows_) * 1.5;
    rows_ = std::clamp(static_cast<std::size_t>(std::min(wanted, ceiling)), rows_min, rows_max);
}

void chunk_sizer::failed() {
    if (steered_) rows_ = std::max(rows_ / 2, rows_min);
}

}  // namespace sluice::migration

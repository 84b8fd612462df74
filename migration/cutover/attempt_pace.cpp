#include "migration/cutover/attempt_pace.hpp"

#include <algorithm>

namespace sluice::migration {
namespace {

// Ages that the server tells are whole seconds on some of them.
constexpr std::chrono::milliseconds age_error_max{1'100};

constexpr std::chrono::milliseconds first_patience_min{20};
constexpr int first_patience_part = 16;

}  // namespace

std::chrono::milliseconds patience_of(std::uint32_t number, std::chrono::milliseconds hold_budget) {
    auto patience = std::max(hold_budget / first_patience_part, first_patience_min);
    for (std::uint32_t i = 1; i < number && patience < hold_budget; ++i) patience *= 2;
    return std::min(patience, hold_budget);
}

void attempt_pace::given_up(time_point now, const std::vector<gate_blocker>& blockers, std::chrono::milliseconds old,
                            bool in_spite_of_patience) {
    ++given_up_in_a_row_;
    if (in_spite_of_patience) ++in_spite_of_patience_in_a_row_;
    ended_ = now;
    stood_in_the_way_.clear();
    for (const gate_blocker& blocker : blockers) {
        if (blocker.age >= old || !blocker.age_is_known) stood_in_the_way_.push_back(blocker.connection_id);
    }
}

bool attempt_pace::within_interval(time_point now, const limits& within) const {
    return given_up_in_a_row_ != 0 && now < ended_ + within.interval;
}

attempt_pace::time_point attempt_pace::due_at_last(const limits& within) const {
    if (given_up_in_a_row_ == 0) return ended_;
    auto wait = within.interval;
    for (std::uint32_t i = 1; i < in_spite_of_patience_in_a_row_ && wait < within.interval_max; ++i) wait *= 2;
    return ended_ + std::max(within.interval, std::min(wait, within.interval_max));
}

bool attempt_pace::due(time_point now, const limits& within, const std::vector<gate_blocker>& present) {
    if (within_interval(now, within)) return false;
    if (now >= due_at_last(within)) return true;
    if (stood_in_the_way_.empty()) return false;
    const bool still_there = std::any_of(present.begin(), present.end(), [&](const gate_blocker& blocker) {
        const bool was_there = std::find(stood_in_the_way_.begin(), stood_in_the_way_.end(), blocker.connection_id) !=
                               stood_in_the_way_.end();
        // The same connection may have begun another transaction since.
        return was_there && (!blocker.age_is_known || now - blocker.age <= ended_ + age_error_max);
    });
    if (still_there) return false;
    given_up_in_a_row_ = 0;
    in_spite_of_patience_in_a_row_ = 0;
    return true;
}

}  // namespace sluice::migration

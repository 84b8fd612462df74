#include "migration/ledger/write_turns.hpp"

namespace sluice::migration {

write_turns::turn write_turns::take(turn_kind kind) {
    std::unique_lock lock(mutex_);
    const std::uint64_t ticket = next_ticket_++;
    changed_.wait(lock, [&] { return serving_ == ticket && !alone_ && (kind == turn_kind::shared || shared_ == 0); });
    ++serving_;
    if (kind == turn_kind::shared) {
        ++shared_;
    } else {
        alone_ = true;
    }
    changed_.notify_all();
    return turn(*this, kind);
}

void write_turns::end(turn_kind kind) {
    const std::lock_guard lock(mutex_);
    if (kind == turn_kind::shared) {
        --shared_;
    } else {
        alone_ = false;
    }
    changed_.notify_all();
}

}  // namespace sluice::migration

#include "migration/engine/durable_orders.hpp"

namespace sluice::migration {

void durable_orders::say() {
    const std::lock_guard lock(mutex_);
    ++said_;
}

bool durable_orders::take() {
    const std::lock_guard lock(mutex_);
    const bool is_new = taken_ != said_;
    taken_ = said_;
    return is_new;
}

void durable_orders::stored() {
    {
        const std::lock_guard lock(mutex_);
        stored_ = taken_;
    }
    changed_.notify_all();
}

void durable_orders::close() {
    {
        const std::lock_guard lock(mutex_);
        closed_ = true;
    }
    changed_.notify_all();
}

bool durable_orders::wait(std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex_);
    const std::uint64_t until = said_;
    changed_.wait_for(lock, patience, [&] { return stored_ >= until || closed_; });
    return stored_ >= until;
}

}  // namespace sluice::migration

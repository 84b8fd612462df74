#include "proxy/net/gate_hub.hpp"

#include "protocol/result.hpp"

namespace sluice::proxy {

void gate_hub::add_shard(shard_door door) {
    const std::lock_guard lock(mutex_);
    doors_.push_back(std::move(door));
}

void gate_hub::stop() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    doors_.clear();
    changed_.notify_all();
}

bool gate_hub::stopped() const {
    const std::lock_guard lock(mutex_);
    return stopped_;
}

std::optional<unsigned> gate_hub::take_slot() {
    const std::lock_guard lock(mutex_);
    if (stopped_) return std::nullopt;
    for (unsigned slot = 0; slot < session::slots_max; ++slot) {
        if (slots_taken_[slot]) continue;
        slots_taken_[slot] = true;
        return slot;
    }
    return std::nullopt;
}

void gate_hub::give_back_slot(unsigned slot) {
    const std::lock_guard lock(mutex_);
    SLUICE_ASSERT(slots_taken_[slot]);
    slots_taken_[slot] = false;
}

void gate_hub::retire_slot(unsigned slot) {
    const std::lock_guard lock(mutex_);
    slots_retired_[slot] = true;
}

std::vector<unsigned> gate_hub::take_retired() {
    const std::lock_guard lock(mutex_);
    std::vector<unsigned> slots;
    for (unsigned slot = 0; slot < session::slots_max; ++slot) {
        if (slots_retired_[slot]) slots.push_back(slot);
    }
    slots_retired_.reset();
    return slots;
}

void gate_hub::tell_change() {
    const std::lock_guard lock(mutex_);
    ++changes_;
    changed_.notify_all();
}

std::uint64_t gate_hub::changes() const {
    const std::lock_guard lock(mutex_);
    return changes_;
}

bool gate_hub::wait_change(std::uint64_t seen, time_point until) {
    std::unique_lock lock(mutex_);
    const bool in_time = changed_.wait_until(lock, until, [&] { return stopped_ || changes_ != seen; });
    return in_time && !stopped_;
}

void gate_hub::tell_all(const shard_task& task) {
    for (const auto& door : doors()) door(task);
}

std::size_t gate_hub::shard_count() const { return doors().size(); }

std::vector<gate_hub::shard_door> gate_hub::doors() const {
    const std::lock_guard lock(mutex_);
    return doors_;
}

}  // namespace sluice::proxy

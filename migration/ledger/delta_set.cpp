#include "migration/ledger/delta_set.hpp"

#include "protocol/result.hpp"

#include <algorithm>
#include <utility>

namespace sluice::migration {

namespace {

// A node of the map with its entry, its share of the buckets, and its place in the queue.
constexpr std::size_t entry_bytes = 160;

std::size_t bytes_of(const std::string& literals, const std::string& order) {
    return literals.size() + order.size() + entry_bytes;
}

}  // namespace

delta_set::delta_set(std::size_t keys_max, std::size_t bytes_max) : keys_max_(keys_max), bytes_max_(bytes_max) {}

void delta_set::erase(const std::string& literals) {
    const auto place = entries_.find(literals);
    bytes_ -= bytes_of(place->first, place->second.order);
    entries_.erase(place);
}

void delta_set::add(row_key key, std::uint64_t transaction) {
    auto [place, is_new] = entries_.try_emplace(std::move(key.literals));
    entry& known = place->second;
    if (is_new) {
        known.order = std::move(key.order);
        bytes_ += bytes_of(place->first, known.order);
    }
    known.last = transaction;
    known.anew = known.anew || key.anew;
    if (known.waiting) return;
    known.first = transaction;
    known.since = transaction;
    known.waiting = true;
    if (!known.in_flight) queue_.push_back(&*place);
}

void delta_set::leave_newer(entry& known, std::uint64_t visible) noexcept {
    known.first = known.last;
    known.since = visible + 1;
}

std::vector<row_key> delta_set::take(std::size_t keys_max, std::uint64_t visible,
                                     const std::function<bool(const row_key&)>& drop) {
    std::vector<row_key> batch;
    while (batch.size() < keys_max && !queue_.empty() && queue_.front()->second.first <= visible) {
        auto* node = queue_.front();
        queue_.pop_front();
        entry& known = node->second;
        row_key key{node->first, known.order, known.anew};
        const bool changed_again = known.last > visible;
        if (drop && drop(key)) {
            if (changed_again) {
                // What is visible needs no work.
                leave_newer(known, visible);
                queue_.push_back(node);
            } else {
                erase(key.literals);
                ++dropped_;
            }
            continue;
        }
        known.in_flight = true;
        // Whatever is known by now, visible or not: it is in the log, and the row is written again in any case.
        known.taken_anew = std::exchange(known.anew, false);
        known.taken = known.since;
        ++in_flight_;
        if (changed_again) {
            leave_newer(known, visible);
        } else {
            known.waiting = false;
        }
        batch.push_back(std::move(key));
    }
    return batch;
}

delta_set::entry& delta_set::in_flight_entry(const row_key& key) {
    const auto place = entries_.find(key.literals);
    SLUICE_ASSERT(place != entries_.end() && place->second.in_flight);
    return place->second;
}

void delta_set::done(const std::vector<row_key>& batch) {
    for (const row_key& key : batch) {
        entry& known = in_flight_entry(key);
        known.in_flight = false;
        --in_flight_;
        if (known.waiting) {
            queue_.push_back(&*entries_.find(key.literals));
        } else {
            erase(key.literals);
        }
    }
}

void delta_set::put_back(const std::vector<row_key>& batch) {
    for (auto key = batch.rbegin(); key != batch.rend(); ++key) {
        entry& known = in_flight_entry(*key);
        known.in_flight = false;
        --in_flight_;
        // What was taken was visible, and stays so: only a newer change must wait for its own visibility.
        if (!known.waiting) known.last = known.taken;
        known.anew = known.anew || known.taken_anew;
        known.first = known.taken;
        known.since = known.taken;
        known.waiting = true;
        queue_.push_front(&*entries_.find(key->literals));
    }
}

bool delta_set::applied_through(std::uint64_t transaction) const noexcept {
    return std::none_of(entries_.begin(), entries_.end(), [transaction](const auto& node) {
        const entry& known = node.second;
        return (known.waiting && known.since <= transaction) || (known.in_flight && known.taken <= transaction);
    });
}

std::uint64_t delta_set::oldest_waiting() const noexcept { return queue_.empty() ? 0 : queue_.front()->second.first; }

}  // namespace sluice::migration

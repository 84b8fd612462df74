#include "migration/ledger/copy_frontier.hpp"

#include "protocol/result.hpp"

#include <utility>

namespace sluice::migration {

copy_frontier::copy_frontier(std::optional<copy_range> range, bool exactly_ordered)
    : range_(std::move(range)), exactly_ordered_(exactly_ordered), all_dispatched_(!range_.has_value()) {}

copy_frontier::copy_frontier(copy_progress done)
    : range_(std::move(done.range)),
      exactly_ordered_(false),
      dispatched_(std::move(done.through)),
      all_dispatched_(done.all || !range_.has_value()) {}

void copy_frontier::dispatched(std::optional<key_bound> bound) {
    SLUICE_ASSERT(!all_dispatched_);
    if (!bound) {
        all_dispatched_ = true;
        return;
    }
    dispatched_ = std::move(bound);
}

bool copy_frontier::copy_will_see(const row_key& key) const noexcept {
    if (!exactly_ordered_ || all_dispatched_) return false;
    // Below the minimum and above the maximum no chunk will ever read.
    if (key.order < range_->min.order || key.order > range_->max.order) return false;
    return !dispatched_ || key.order > dispatched_->order;
}

}  // namespace sluice::migration

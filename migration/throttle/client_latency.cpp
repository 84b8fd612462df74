#include "migration/throttle/client_latency.hpp"

#include <algorithm>

namespace sluice::migration {

using std::chrono::microseconds;
using std::chrono::milliseconds;

namespace {

/// Sorted by bounds, and more than one statement.
microseconds p99_of(const std::vector<latency_count>& counts, std::uint64_t statements) {
    constexpr std::uint64_t percent = 100;
    const std::uint64_t rank = std::min(statements - (statements / percent), statements - 1);
    std::uint64_t seen = 0;
    for (const latency_count& each : counts) {
        seen += each.statements;
        if (seen >= rank) return each.up_to;
    }
    return counts.back().up_to;
}

}  // namespace

void client_latency::remember(const latency_report& report, bool rested, time now) {
    const bool known = last_ && now - *last_ <= gap_max && totals_.size() == report.answered.size();
    slice fresh{last_.value_or(now), rested, 0, {}};
    std::vector<std::uint64_t> totals;
    totals.reserve(report.answered.size());
    for (std::size_t i = 0; i < report.answered.size(); ++i) {
        const std::uint64_t total = report.answered[i].statements;
        totals.push_back(total);
        if (!known) continue;
        fresh.counts.push_back(static_cast<std::uint32_t>(total - totals_[i]));
        fresh.statements += fresh.counts.back();
    }
    if (!known) {
        slices_.clear();
        resting_since_.reset();
        bounds_.clear();
        for (const latency_count& each : report.answered) bounds_.push_back(each.up_to);
    } else {
        if (!rested) {
            resting_since_.reset();
        } else if (!resting_since_) {
            resting_since_ = fresh.begin;
        }
        slices_.push_back(std::move(fresh));
        while (slices_.front().begin < now - memory) slices_.pop_front();
    }
    totals_ = std::move(totals);
    under_way_.clear();
    for (const latency_count& each : report.under_way) {
        if (each.up_to <= memory) under_way_.push_back(each);
    }
    last_ = now;
}

std::uint64_t client_latency::statements_since(time begin) const {
    std::uint64_t sum = 0;
    for (const slice& each : slices_) sum += each.begin >= begin ? each.statements : 0;
    for (const latency_count& each : under_way_) sum += each.statements;
    return sum;
}

std::optional<microseconds> client_latency::p99_since(time begin) const {
    const std::uint64_t statements = statements_since(begin);
    if (statements < samples_min) return std::nullopt;
    std::vector<latency_count> answered;
    answered.reserve(bounds_.size());
    for (const microseconds bound : bounds_) answered.push_back({bound, 0});
    for (const slice& each : slices_) {
        if (each.begin < begin) continue;
        for (std::size_t i = 0; i < each.counts.size(); ++i) answered[i].statements += each.counts[i];
    }
    std::vector<latency_count> all;
    const auto by_bound = [](const latency_count& a, const latency_count& b) { return a.up_to < b.up_to; };
    std::merge(answered.begin(), answered.end(), under_way_.begin(), under_way_.end(), std::back_inserter(all),
               by_bound);
    return p99_of(all, statements);
}

std::optional<microseconds> client_latency::p99_of_window(time begin) const {
    for (auto each = slices_.rbegin(); each != slices_.rend(); ++each) {
        // As far back as it must, and then as far as it takes to have enough.
        if (std::next(each) != slices_.rend() && std::next(each)->begin >= begin) continue;
        if (auto found = p99_since(each->begin)) return found;
    }
    return std::nullopt;
}

void client_latency::follow_load(milliseconds window, time now) {
    // A slice or so may be missing from a minute that is whole otherwise.
    const bool is_whole = !slices_.empty() && now - slices_.front().begin > memory - gap_max;
    if (!is_whole) return;
    const auto of_minute = p99_since(slices_.front().begin);
    if (!of_minute) return;
    if (!figures_.baseline) {
        // Of clients who say so little that a rest of a window's length would show nothing.
        if (!figures_.is_measuring && !p99_since(now - window)) figures_.baseline = of_minute;
        return;
    }
    const bool rested = resting_since_ && *resting_since_ <= slices_.front().begin;
    if (*of_minute < *figures_.baseline || rested) figures_.baseline = of_minute;
}

void client_latency::measure(milliseconds window, time now) {
    if (figures_.baseline) return;
    if (!figures_.is_measuring) {
        const bool may_again = !found_idle_ || now - *found_idle_ >= memory;
        figures_.is_measuring = may_again && p99_since(now - window).has_value();
        return;
    }
    if (!resting_since_ || now - *resting_since_ < window) return;
    figures_.baseline = p99_since(*resting_since_);
    if (!figures_.baseline) found_idle_ = now;
    figures_.is_measuring = false;
}

void client_latency::add(const latency_report& report, bool rested, milliseconds window, time now) {
    remember(report, rested, now);
    figures_.p99 = p99_of_window(now - window);
    measure(window, now);
    follow_load(window, now);
}

}  // namespace sluice::migration

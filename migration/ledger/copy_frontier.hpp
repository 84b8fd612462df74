#pragma once

// How far the copy has been dispatched, and which changes it will still see by itself. A plain value without locks; the
// decision to drop a change and the dispatch of a chunk must be serialised by the owner.

#include "migration/ledger/delta_set.hpp"

#include <optional>
#include <string>
#include <vector>

namespace sluice::migration {

/// A key as one SQL literal per key column, and its order (row_key::order).
struct key_bound {
    std::vector<std::string> literals;
    std::string order;
};

struct copy_range {
    key_bound min;
    key_bound max;
};

/// How far a copy has come: every row of the range up to `through` that was there is in the ghost.
struct copy_progress {
    std::optional<copy_range> range;   ///< nullopt: the table was empty
    std::optional<key_bound> through;  ///< inclusive; nullopt: nothing is certain yet
    bool all = false;
};

class copy_frontier {
public:
    /// range: nullopt for an empty table. exactly_ordered: the keys' `order` is the server's order.
    copy_frontier(std::optional<copy_range> range, bool exactly_ordered);

    /// One that begins behind what an earlier process has copied. Beyond that the ghost may have rows of which there
    /// are changes to come: none is dropped any more.
    explicit copy_frontier(copy_progress done);

    [[nodiscard]] const std::optional<copy_range>& range() const noexcept { return range_; }
    [[nodiscard]] const std::optional<key_bound>& dispatched() const noexcept { return dispatched_; }
    [[nodiscard]] bool all_dispatched() const noexcept { return all_dispatched_; }
    /// The next chunk begins here: at the range's minimum (inclusive) or after the highest dispatched key (exclusive).
    [[nodiscard]] const key_bound& next_lower() const noexcept { return dispatched_ ? *dispatched_ : range_->min; }
    [[nodiscard]] bool next_lower_inclusive() const noexcept { return !dispatched_.has_value(); }
    [[nodiscard]] const key_bound& upper() const noexcept { return range_->max; }

    /// A chunk up to and including `bound` is about to be read; nullopt: up to the range's maximum, the last one.
    void dispatched(std::optional<key_bound> bound);

    /// A visible change of this key needs no work of its own: a chunk not yet dispatched will read the row.
    [[nodiscard]] bool copy_will_see(const row_key& key) const noexcept;

private:
    std::optional<copy_range> range_;
    bool exactly_ordered_;
    std::optional<key_bound> dispatched_;
    bool all_dispatched_;
};

}  // namespace sluice::migration

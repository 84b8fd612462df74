#pragma once

// Which chunk statements are in flight. A batch of deltas may be applied only after every chunk statement that began
// before the batch's barrier has ended: such a statement may read an old snapshot and write back a row that was deleted
// since. A plain value without locks; its owner serialises access.

#include <cstdint>
#include <set>

namespace sluice::migration {

class chunk_ledger {
public:
    using ticket = std::uint64_t;

    /// A chunk statement is about to be sent. Every attempt takes a ticket of its own: it reads its own snapshot.
    [[nodiscard]] ticket begin();
    /// The statement has ended: committed, failed, or its session is gone for certain.
    void end(ticket which);

    /// Statements begun from now on read what is visible now.
    [[nodiscard]] ticket barrier() const noexcept { return next_; }
    /// No statement that began before `barrier` is in flight.
    [[nodiscard]] bool passed(ticket barrier) const noexcept { return open_.empty() || *open_.begin() >= barrier; }

private:
    ticket next_ = 1;
    std::set<ticket> open_;
};

}  // namespace sluice::migration

#pragma once

// The keys whose rows changed and are still to be carried into the ghost: a set, so that a hot row costs one write
// however often it changed. A plain value without locks; its owner serialises access.
//
// A key passes these stations: waiting (added) -> in flight (taken into a batch) -> gone (done), or waiting again when
// it changed meanwhile or the batch failed. A key in flight is never handed out a second time: two batches with the
// same key could finish in the wrong order.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sluice::migration {

/// A row's identity: its key as typed SQL literals, joined by commas ("7,_latin1 0x41"), and, for exactly ordered keys,
/// a byte string whose memcmp order is the server's order of the keys (else empty).
struct row_key {
    std::string literals;
    std::string order;
    /// A row was inserted or deleted under this key: columns that only the ghost has begin anew. Used where the ghost
    /// keeps such columns (the way back).
    bool anew = false;

    bool operator==(const row_key&) const = default;
};

class delta_set {
public:
    /// keys_max, bytes_max: full() at that many; add() itself never refuses, so that a transaction in hand can be
    /// finished.
    explicit delta_set(std::size_t keys_max, std::size_t bytes_max = std::numeric_limits<std::size_t>::max());

    /// transaction: number of the transaction in stream order, starting at 1, never falling.
    void add(row_key key, std::uint64_t transaction);

    /// Takes up to `keys_max` waiting keys, oldest first, all of whose changes known at their taking up are visible
    /// (transaction <= visible). Keys for which `drop` says true are removed instead of taken (counted in dropped()),
    /// and only when every change of theirs is visible.
    std::vector<row_key> take(std::size_t keys_max, std::uint64_t visible,
                              const std::function<bool(const row_key&)>& drop);

    /// The batch is committed in the ghost.
    void done(const std::vector<row_key>& batch);
    /// The batch is not in the ghost; its keys wait again, ahead of all others.
    void put_back(const std::vector<row_key>& batch);

    [[nodiscard]] bool full() const noexcept { return entries_.size() >= keys_max_ || bytes_ >= bytes_max_; }
    /// About what the keys take in memory, with what holds them together.
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
    /// Distinct keys waiting or in flight.
    [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
    [[nodiscard]] std::size_t in_flight() const noexcept { return in_flight_; }
    [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_; }
    /// No change up to and including this transaction waits or is in flight. Says so late rather than early: of a key
    /// taken while newer changes were not visible, only the newest is known. Linear in size(): for rare use.
    [[nodiscard]] bool applied_through(std::uint64_t transaction) const noexcept;
    /// Transaction that must be visible before the next key can be taken; 0 when nothing waits.
    [[nodiscard]] std::uint64_t oldest_waiting() const noexcept;

private:
    struct entry {
        std::string order;
        /// Transaction that must be visible before the key is taken: the oldest change not yet taken, or, once the key
        /// was taken while a newer one was not visible, the newest of that moment, so that a hot key is not written
        /// again for each of them.
        std::uint64_t first = 0;
        std::uint64_t last = 0;   ///< newest change
        std::uint64_t since = 0;  ///< no change before this transaction is still to be taken
        std::uint64_t taken = 0;  ///< since, of the batch in flight
        bool waiting = false;
        bool in_flight = false;
        bool anew = false;        ///< of what waits
        bool taken_anew = false;  ///< of the batch in flight
    };
    using entry_map = std::unordered_map<std::string, entry>;

    [[nodiscard]] entry& in_flight_entry(const row_key& key);
    void erase(const std::string& literals);
    /// Its changes up to `visible` are being dealt with; newer ones, which there are, wait for their own turn.
    static void leave_newer(entry& known, std::uint64_t visible) noexcept;

    std::size_t keys_max_;
    std::size_t bytes_max_;
    std::size_t bytes_ = 0;
    entry_map entries_;
    std::deque<entry_map::value_type*> queue_;  ///< waiting and not in flight; map nodes do not move
    std::size_t in_flight_ = 0;
    std::uint64_t dropped_ = 0;
};

}  // namespace sluice::migration

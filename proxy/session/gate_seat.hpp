#pragma once

// A session's place at its thread's gates: what of the watched tables it may be using, and whether it is held.
// One seat per session, owned by it; everything else here belongs to the shard. One thread.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace sluice::session {

using time_point = std::chrono::steady_clock::time_point;

/// Bit n stands for the watched table in slot n.
using slot_mask = std::uint64_t;
inline constexpr unsigned slots_max = 64;
inline constexpr slot_mask all_slots = ~slot_mask{0};

[[nodiscard]] constexpr slot_mask slot_bit(unsigned slot) noexcept { return slot_mask{1} << slot; }

/// What a statement waits for: that these gates open, be it by themselves, and that the attempts at those have ended.
struct hold_masks {
    slot_mask open = 0;
    slot_mask told = 0;

    [[nodiscard]] slot_mask all() const noexcept { return open | told; }
};

/// What a blocked operator wants to know of a session.
struct seat_view {
    std::uint64_t connection_id = 0;
    std::string client;
    std::string statement;
    time_point since{};
    bool in_transaction = false;
};

/// A session's transaction, by when it began.
struct begun_transaction {
    std::uint64_t connection_id = 0;
    time_point since{};
};

class gate_shard;

class gate_seat {
public:
    gate_seat() = default;
    gate_seat(const gate_seat&) = delete;
    gate_seat& operator=(const gate_seat&) = delete;
    virtual ~gate_seat();  ///< leaves the shard

    /// The tables that the session's statements in flight or its transaction may have touched, as last told.
    [[nodiscard]] slot_mask in_use() const noexcept { return in_use_; }
    [[nodiscard]] bool held() const noexcept { return place_ != place::none; }

    /// Its statement was held and has been killed: whoever resumes the seat answers it.
    [[nodiscard]] bool interrupted() const noexcept { return interrupted_; }
    void forget_interruption() noexcept { interrupted_ = false; }

    [[nodiscard]] virtual seat_view view() const = 0;
    /// The server's. As in view(), which copies texts: too dear for a look at every seat.
    [[nodiscard]] virtual std::uint64_t connection_id() const noexcept = 0;

    /// Whether an open transaction has, or may have, a snapshot of earlier than now that its later statements read by.
    [[nodiscard]] virtual bool has_snapshot() const = 0;
    /// Watched tables that have changed places since that snapshot was taken.
    [[nodiscard]] virtual slot_mask outdated() const = 0;

    /// The owner's own mark, by which it finds its session when the shard releases the seat.
    void set_ticket(std::uint64_t ticket) noexcept { ticket_ = ticket; }
    [[nodiscard]] std::uint64_t ticket() const noexcept { return ticket_; }

protected:
    /// A table begins to be watched: statements in flight and an open transaction count as having touched it.
    /// Answers with the new value for in_use().
    [[nodiscard]] virtual slot_mask on_watch(slot_mask added) = 0;
    /// The watched table has changed places. True if the session has a snapshot of before: by that it must not read the
    /// table any more.
    [[nodiscard]] virtual bool on_swapped(slot_mask swapped) = 0;
    /// The server says of the transaction that began at `since` that each of its statements reads anew.
    virtual void on_reads_anew(time_point since) = 0;

private:
    friend class gate_shard;
    enum class place : std::uint8_t { none, blocked, ready, interrupted };

    gate_shard* shard_ = nullptr;
    std::uint64_t ticket_ = 0;
    std::size_t index_ = 0;  // in the shard's list of seats
    slot_mask in_use_ = 0;

    place place_ = place::none;
    gate_seat* before_ = nullptr;  // in the queue of its place
    gate_seat* behind_ = nullptr;
    hold_masks held_for_;
    bool interrupted_ = false;
    std::size_t held_bytes_ = 0;
    time_point held_since_{};
};

}  // namespace sluice::session

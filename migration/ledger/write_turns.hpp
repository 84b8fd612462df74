#pragma once

// Who may write to the ghost now. Copy and apply write side by side, but for two reasons to take turns:
//  - where reads of the original take share locks, a writer that waits for another one in the ghost keeps its share
//    locks on the original meanwhile. If the other one waits for a client, and the client for such a lock, the server
//    calls that a deadlock, and the lightest, the client, is its victim;
//  - where nothing in the ghost keeps a row from being there twice, a chunk leaves out rows that it sees there. It does
//    not see those of a batch that is not yet committed.
// A monitor: every member is thread-safe. Turns come in the order in which they were asked for.

#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace sluice::migration {

enum class turn_kind : std::uint8_t {
    shared,  ///< side by side with other shared ones
    alone,
};

class write_turns {
public:
    /// A turn; ends with it. Movable. An empty one holds nothing.
    class turn {
    public:
        turn() = default;
        turn(turn&& other) noexcept : turns_(other.turns_), kind_(other.kind_) { other.turns_ = nullptr; }
        turn& operator=(turn&&) = delete;
        turn(const turn&) = delete;
        turn& operator=(const turn&) = delete;
        ~turn() {
            if (turns_ != nullptr) turns_->end(kind_);
        }

    private:
        friend class write_turns;
        turn(write_turns& turns, turn_kind kind) : turns_(&turns), kind_(kind) {}

        write_turns* turns_ = nullptr;
        turn_kind kind_ = turn_kind::shared;
    };

    /// Waits for its turn. Whoever has one must end it without waiting for another.
    [[nodiscard]] turn take(turn_kind kind);

private:
    void end(turn_kind kind);

    std::mutex mutex_;
    std::condition_variable changed_;
    std::uint64_t next_ticket_ = 0;
    std::uint64_t serving_ = 0;  ///< the ticket that may begin as soon as those that write let it
    std::uint64_t shared_ = 0;   ///< shared turns that are being taken now
    bool alone_ = false;         ///< a turn alone is
};

}  // namespace sluice::migration

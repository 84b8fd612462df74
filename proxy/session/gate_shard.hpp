#pragma once

// One I/O thread's part of every gate: which tables are watched, which gates are closed until when, who is held in what
// order, and how many sessions use a watched table. Pure: it is told the time and says whom to release.
//
// A closed gate opens by itself at its deadline (expire()), whatever becomes of the one who closed it. Beyond the
// limits statements pass: the gate is there for grace. One that must not pass while the gate is undecided (see below)
// takes the seal away with it, so that no swap can be announced any more; behind the announcement it is refused.
//
// Old snapshots. A transaction that reads by a snapshot from before the swap would find in the new table what was
// copied by then, and take it for the whole. So a sealed gate lets no transaction take a snapshot, and those that have
// one do not read the table until it is told how the attempt has ended: it is then undecided. It is told so by open(),
// or, if whoever closed it is gone, by itself. The swap is announced before it is sent, which a gate that has opened by
// itself refuses. So if none was announced at its deadline, none takes place; if one was, it is presumed a second
// later. Belongs to one thread. Seats leave by their destructor; a shard that ends before them lets them go.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/sql/statement_footprint.hpp"
#include "proxy/session/gate_seat.hpp"

namespace sluice::session {

/// What is to be known of a watched table beside its name.
struct watch_kind {
    bool holds_all = false;      ///< every statement that may be held, whatever it touches
    bool changes_places = true;  ///< another table will bear the name
};

/// Why a gate opens: for certain the name stands for the same table as before, or it may not.
enum class gate_end : std::uint8_t { given_up, swapped };

/// A KILL that the server has done.
struct kill_request {
    std::uint64_t connection_id = 0;
    bool operator==(const kill_request&) const = default;
};

struct gate_limits {
    std::size_t held_statements_max = 10'000;
    std::size_t held_bytes_max = std::size_t{256} << 20U;
};

/// What one shard's part of a gate did since it was closed last.
struct shard_hold_report {
    std::uint64_t held = 0;
    std::uint64_t released = 0;             ///< so far; those that left before are not among them
    std::vector<std::uint32_t> samples_us;  ///< hold durations, all of them or a fair sample; at most samples_max
    std::uint32_t max_us = 0;
    bool expired = false;
    std::uint64_t overflowed = 0;
    std::uint64_t old_snapshots = 0;  ///< sessions that had one when the tables had changed places

    static constexpr std::size_t samples_max = 4096;
};

struct gate_counters {
    std::uint64_t held = 0;         ///< statements that waited
    std::uint64_t overflowed = 0;   ///< let through a closed gate
    std::uint64_t refused = 0;      ///< would, or at a full gate might, have read a table by a snapshot older than it
    std::uint64_t interrupted = 0;  ///< held, and killed
};

class gate_shard {
public:
    explicit gate_shard(gate_limits limits) noexcept : limits_(limits) {}
    gate_shard(const gate_shard&) = delete;
    gate_shard& operator=(const gate_shard&) = delete;
    ~gate_shard();

    void join(gate_seat& seat);
    void leave(gate_seat& seat) noexcept;

    /// slot < slots_max and free: asserted. lower-case rules: names are compared without regard to case, which errs
    /// towards "may touch" on servers that tell case apart.
    void watch(unsigned slot, sql::table_name table, watch_kind kind = {});
    /// Opens the gate first. Unknown slots are ignored. While a session has a snapshot from before the table changed
    /// places it goes on watching, to keep it from reading the table by that, and then ends by itself; is_watched()
    /// tells.
    void unwatch(unsigned slot);
    [[nodiscard]] bool is_watched(unsigned slot) const noexcept { return (watched_ & slot_bit(slot)) != 0; }
    /// A session's set of tables that it must not read has become smaller.
    void note_outdated_gone() {
        if (retiring_ != 0) forget_retired();
    }

    [[nodiscard]] bool watching() const noexcept { return watched_ != 0; }
    [[nodiscard]] slot_mask watched() const noexcept { return watched_; }
    /// Changes whenever the set of watched tables does; never 0.
    [[nodiscard]] std::uint64_t watch_epoch() const noexcept { return watch_epoch_; }

    /// The watched tables that a statement may touch. A text is looked at only as far as needed.
    [[nodiscard]] slot_mask may_touch(std::string_view text, const sql::lexer_options& options,
                                      std::string_view default_schema) const;
    [[nodiscard]] slot_mask may_touch(const sql::statement_footprint& footprint,
                                      std::string_view default_schema) const noexcept;

    /// Closed again: the deadline moves, the report begins anew.
    void close(unsigned slot, time_point deadline);
    /// Whoever waited for this gate alone becomes ready. No effect when open and not undecided.
    void open(unsigned slot, gate_end end = gate_end::given_up);
    /// Opens every gate whose deadline has come.
    void expire(time_point now);
    [[nodiscard]] std::optional<time_point> next_deadline() const noexcept;

    /// False if the gate is not closed any more. Of tables that do not change places nothing needs to be sealed.
    [[nodiscard]] bool seal(unsigned slot) noexcept;
    void unseal(unsigned slot);
    /// From now on the tables may change places. False if they must not: the gate is not closed and sealed any more.
    [[nodiscard]] bool announce(unsigned slot) noexcept;
    /// Sessions that do not use the table, and may have a snapshot by which they would read it.
    [[nodiscard]] std::vector<seat_view> old_snapshots(unsigned slot, std::size_t count_max) const;
    /// See gate_seat::on_reads_anew(). One pass over the seats, however many are told; any order.
    void note_reads_anew(std::vector<begun_transaction> told);
    /// A session that had a snapshot has none any more; somebody may be waiting for that.
    void note_snapshot_gone() noexcept { drained_ |= sealed_; }
    void note_refused() noexcept { ++counters_.refused; }

    /// A KILL QUERY has been answered with OK: its target may be held here or in another shard.
    void note_kill(kill_request kill) { kills_.push_back(kill); }
    [[nodiscard]] std::vector<kill_request> take_kills() noexcept { return std::exchange(kills_, {}); }
    /// If this session is held it is released at once, interrupted.
    void interrupt(std::uint64_t connection_id);

    /// Statements that touch one of these wait: the gate is closed, or others that wait for it have not gone yet.
    [[nodiscard]] slot_mask holding() const noexcept { return closed_ | ready_slots_; }
    /// Of those, the ones that hold whatever may be held.
    [[nodiscard]] slot_mask holding_all() const noexcept { return holding() & holds_all_; }
    /// No transaction may take a snapshot now.
    [[nodiscard]] slot_mask sealed() const noexcept { return sealed_ & closed_; }
    /// Sealed, and not told how it ended: closed, or open by itself.
    [[nodiscard]] slot_mask undecided() const noexcept { return sealed_; }
    /// The limits do not let it wait, and it must not go on either: the swap has been announced, and it might read the
    /// new table by an older snapshot.
    [[nodiscard]] bool has_to_refuse(hold_masks held_for, std::size_t bytes) const noexcept {
        return (held_for.told & announced_) != 0 && is_full(bytes);
    }
    /// Puts the seat into the queue, and says so; false (an overflow) when the limits do not let it: the statement
    /// goes on, and gates at which it had to be told the end are sealed no more. held_for must overlap holding() or,
    /// what is to be told, undecided(), must not has_to_refuse(), and the seat must have joined and not be held:
    /// asserted.
    [[nodiscard]] bool hold(gate_seat& seat, hold_masks held_for, std::size_t bytes, time_point now);
    /// The statement will never be sent: its client has gone.
    void abandon(gate_seat& seat) noexcept;
    /// Takes up to `burst` seats that may go on from the queue, first come first served.
    /// Those behind them wait until this is called again; seats that leave meanwhile are gone from the queue.
    void release(std::size_t burst, time_point now, std::vector<gate_seat*>& out);
    [[nodiscard]] bool has_ready() const noexcept { return ready_.first != nullptr || interrupted_.first != nullptr; }
    /// True while somebody who may go on, but has not yet, waited for this slot.
    [[nodiscard]] bool has_ready(unsigned slot) const noexcept { return ready_count_[slot] != 0; }

    /// Called by the session whenever the set changes; cheap when it does not.
    void set_in_use(gate_seat& seat, slot_mask in_use) noexcept {
        if (seat.in_use_ != in_use) change_in_use(seat, in_use);
    }
    /// Sessions whose statement in flight or open transaction may have touched the table.
    [[nodiscard]] std::size_t in_use_count(unsigned slot) const noexcept { return in_use_count_[slot]; }
    /// Slots whose count fell to zero since the last call: somebody may be waiting for that.
    [[nodiscard]] slot_mask take_drained() noexcept;
    [[nodiscard]] std::vector<seat_view> blockers(unsigned slot, std::size_t count_max) const;

    [[nodiscard]] shard_hold_report report(unsigned slot) const { return gates_[slot].report; }
    [[nodiscard]] gate_counters counters() const noexcept { return counters_; }
    [[nodiscard]] std::size_t held_now() const noexcept { return held_count_; }

private:
    struct gate {
        sql::table_name table;
        watch_kind kind;
        time_point deadline{};
        shard_hold_report report;
    };
    struct seat_queue {
        gate_seat* first = nullptr;
        gate_seat* last = nullptr;
    };

    [[nodiscard]] bool is_full(std::size_t bytes) const noexcept {
        return held_count_ >= limits_.held_statements_max || held_bytes_ + bytes > limits_.held_bytes_max;
    }
    void forget(unsigned slot);
    void drop_seal(unsigned slot) noexcept;
    void forget_retired();
    void free_whom_nothing_holds();
    [[nodiscard]] bool waits(const gate_seat& seat) const noexcept {
        return (seat.held_for_.open & closed_) != 0 || (seat.held_for_.told & sealed_) != 0;
    }
    [[nodiscard]] seat_queue& queue_of(const gate_seat& seat) noexcept;
    void change_in_use(gate_seat& seat, slot_mask in_use) noexcept;
    void append(seat_queue& queue, gate_seat& seat, gate_seat::place where) noexcept;
    void unlink(gate_seat& seat) noexcept;
    void take_out(gate_seat& seat) noexcept;
    void count_ready(slot_mask mask, int by) noexcept;
    void record(const gate_seat& seat, time_point now);

    gate_limits limits_;
    std::array<gate, slots_max> gates_;
    std::array<std::size_t, slots_max> in_use_count_{};
    std::array<std::size_t, slots_max> ready_count_{};
    slot_mask watched_ = 0;
    slot_mask closed_ = 0;
    slot_mask sealed_ = 0;
    slot_mask announced_ = 0;  // among the sealed ones
    slot_mask holds_all_ = 0;
    slot_mask retiring_ = 0;  // to be watched no more, but for the sake of old snapshots
    slot_mask ready_slots_ = 0;
    slot_mask drained_ = 0;
    std::uint64_t watch_epoch_ = 1;
    std::vector<gate_seat*> seats_;
    seat_queue blocked_;
    seat_queue ready_;
    seat_queue interrupted_;
    std::vector<kill_request> kills_;
    std::size_t held_count_ = 0;
    std::size_t held_bytes_ = 0;
    gate_counters counters_;
    std::uint64_t sample_state_ = 0x9E3779B97F4A7C15ULL;
};

}  // namespace sluice::session

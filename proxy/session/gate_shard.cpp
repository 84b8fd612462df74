#include "proxy/session/gate_shard.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "protocol/result.hpp"
#include "protocol/sql/classifier.hpp"

namespace sluice::session {

namespace {

// Which spelling the server takes for one name is not known here; taking both for one errs towards "may touch".
constexpr int ignore_case = 1;

// Behind its deadline a gate that is undecided is told soon, unless whoever closed it has died.
constexpr std::chrono::seconds verdict_patience{1};

template <class Body>
void for_each_slot(slot_mask mask, Body&& body) {
    for (; mask != 0; mask &= mask - 1) body(static_cast<unsigned>(std::countr_zero(mask)));
}

}  // namespace

gate_seat::~gate_seat() {
    if (shard_ != nullptr) shard_->leave(*this);
}

gate_shard::~gate_shard() {
    for (auto* seat : seats_) seat->shard_ = nullptr;
}

void gate_shard::join(gate_seat& seat) {
    SLUICE_ASSERT(seat.shard_ == nullptr);
    seats_.push_back(&seat);
    seat.index_ = seats_.size() - 1;
    seat.shard_ = this;
}

void gate_shard::leave(gate_seat& seat) noexcept {
    if (seat.shard_ != this) return;
    if (seat.held()) take_out(seat);
    set_in_use(seat, 0);
    seats_[seat.index_] = seats_.back();
    seats_[seat.index_]->index_ = seat.index_;
    seats_.pop_back();
    seat.shard_ = nullptr;
    drained_ |= sealed_;
    note_outdated_gone();
}

void gate_shard::watch(unsigned slot, sql::table_name table, watch_kind kind) {
    SLUICE_ASSERT(slot < slots_max && (watched_ & slot_bit(slot)) == 0);
    gates_[slot] = gate{std::move(table), kind, {}, {}};
    watched_ |= slot_bit(slot);
    if (kind.holds_all) holds_all_ |= slot_bit(slot);
    ++watch_epoch_;
    for (auto* seat : seats_) set_in_use(*seat, seat->on_watch(slot_bit(slot)));
    drained_ &= ~slot_bit(slot);
}

void gate_shard::unwatch(unsigned slot) {
    if (slot >= slots_max || (watched_ & slot_bit(slot)) == 0) return;
    open(slot, (announced_ & slot_bit(slot)) != 0 ? gate_end::swapped : gate_end::given_up);
    retiring_ |= slot_bit(slot);
    forget_retired();
}

void gate_shard::forget_retired() {
    slot_mask needed = 0;
    for (const auto* seat : seats_) needed |= seat->outdated();
    for_each_slot(retiring_ & ~needed, [&](unsigned slot) { forget(slot); });
}

void gate_shard::forget(unsigned slot) {
    watched_ &= ~slot_bit(slot);
    retiring_ &= ~slot_bit(slot);
    holds_all_ &= ~slot_bit(slot);
    ++watch_epoch_;
    for (auto* seat : seats_) set_in_use(*seat, seat->in_use_ & ~slot_bit(slot));
    drained_ &= ~slot_bit(slot);
}

slot_mask gate_shard::may_touch(std::string_view text, const sql::lexer_options& options,
                                std::string_view default_schema) const {
    slot_mask undecided = 0;
    for_each_slot(watched_, [&](unsigned slot) {
        if (!sql::dismissed(text, gates_[slot].table.name, options)) undecided |= slot_bit(slot);
    });
    if (undecided == 0) return 0;
    return may_touch(sql::classify(text, {options}), default_schema) & undecided;
}

slot_mask gate_shard::may_touch(const sql::statement_footprint& footprint,
                                std::string_view default_schema) const noexcept {
    if (footprint.touches_anything) return watched_;
    slot_mask mask = 0;
    for_each_slot(watched_, [&](unsigned slot) {
        if (footprint.may_touch(gates_[slot].table, default_schema, ignore_case)) mask |= slot_bit(slot);
    });
    return mask;
}

void gate_shard::close(unsigned slot, time_point deadline) {
    if (slot >= slots_max || (watched_ & slot_bit(slot)) == 0) return;
    gates_[slot].deadline = deadline;
    gates_[slot].report = {};
    closed_ |= slot_bit(slot);
    unseal(slot);
    // Those who were free to go but have not gone yet wait again, in front of those who came later.
    seat_queue later = std::exchange(blocked_, {});
    for (auto* seat = ready_.first; seat != nullptr;) {
        auto* next = seat->behind_;
        if ((seat->held_for_.open & slot_bit(slot)) != 0) {
            unlink(*seat);
            append(blocked_, *seat, gate_seat::place::blocked);
        }
        seat = next;
    }
    if (later.first == nullptr) return;
    later.first->before_ = blocked_.last;
    (blocked_.last != nullptr ? blocked_.last->behind_ : blocked_.first) = later.first;
    blocked_.last = later.last;
}

void gate_shard::open(unsigned slot, gate_end end) {
    if (slot >= slots_max || ((closed_ | sealed_) & slot_bit(slot)) == 0) return;
    const bool sealed = (sealed_ & slot_bit(slot)) != 0;
    drop_seal(slot);
    if (sealed && end == gate_end::swapped) {
        // Before anybody goes on.
        for (auto* seat : seats_) gates_[slot].report.old_snapshots += seat->on_swapped(slot_bit(slot)) ? 1U : 0U;
    }
    closed_ &= ~slot_bit(slot);
    free_whom_nothing_holds();
}

void gate_shard::free_whom_nothing_holds() {
    for (auto* seat = blocked_.first; seat != nullptr;) {
        auto* next = seat->behind_;
        if (!waits(*seat)) {
            unlink(*seat);
            append(ready_, *seat, gate_seat::place::ready);
        }
        seat = next;
    }
}

void gate_shard::expire(time_point now) {
    for_each_slot(closed_, [&](unsigned slot) {
        if (gates_[slot].deadline > now) return;
        gates_[slot].report.expired = true;
        closed_ &= ~slot_bit(slot);
        if ((announced_ & slot_bit(slot)) == 0) drop_seal(slot);
        free_whom_nothing_holds();
    });
    for_each_slot(sealed_ & ~closed_, [&](unsigned slot) {
        if (gates_[slot].deadline + verdict_patience <= now) open(slot, gate_end::swapped);
    });
}

bool gate_shard::seal(unsigned slot) noexcept {
    if (slot >= slots_max || (closed_ & slot_bit(slot)) == 0) return false;
    if (gates_[slot].kind.changes_places) sealed_ |= slot_bit(slot);
    return true;
}

bool gate_shard::announce(unsigned slot) noexcept {
    if (slot >= slots_max || (closed_ & slot_bit(slot)) == 0) return false;
    if (!gates_[slot].kind.changes_places) return true;
    if ((sealed_ & slot_bit(slot)) == 0) return false;
    announced_ |= slot_bit(slot);
    return true;
}

void gate_shard::drop_seal(unsigned slot) noexcept {
    sealed_ &= ~slot_bit(slot);
    announced_ &= ~slot_bit(slot);
}

void gate_shard::unseal(unsigned slot) {
    if (slot >= slots_max || (sealed_ & slot_bit(slot)) == 0) return;
    drop_seal(slot);
    free_whom_nothing_holds();
}

std::vector<seat_view> gate_shard::old_snapshots(unsigned slot, std::size_t count_max) const {
    std::vector<seat_view> views;
    if (slot >= slots_max || !gates_[slot].kind.changes_places) return views;
    for (const auto* seat : seats_) {
        if ((seat->in_use_ & slot_bit(slot)) == 0 && seat->has_snapshot()) views.push_back(seat->view());
    }
    std::sort(views.begin(), views.end(), [](const auto& a, const auto& b) { return a.since < b.since; });
    if (views.size() > count_max) views.resize(count_max);
    return views;
}

void gate_shard::note_reads_anew(std::vector<begun_transaction> told) {
    const auto by_id = [](const auto& a, const auto& b) { return a.connection_id < b.connection_id; };
    std::sort(told.begin(), told.end(), by_id);
    for (auto* seat : seats_) {
        if (!seat->has_snapshot()) continue;
        const auto [first, last] =
            std::equal_range(told.begin(), told.end(), begun_transaction{seat->connection_id(), {}}, by_id);
        for (auto one = first; one != last; ++one) seat->on_reads_anew(one->since);
    }
}

void gate_shard::interrupt(std::uint64_t connection_id) {
    for (auto* seat : seats_) {
        const bool waiting = seat->place_ == gate_seat::place::blocked || seat->place_ == gate_seat::place::ready;
        if (!waiting || seat->connection_id() != connection_id) continue;
        unlink(*seat);
        append(interrupted_, *seat, gate_seat::place::interrupted);
        seat->interrupted_ = true;
        ++counters_.interrupted;
    }
}

std::optional<time_point> gate_shard::next_deadline() const noexcept {
    std::optional<time_point> next;
    for_each_slot(closed_ | sealed_, [&](unsigned slot) {
        const bool is_closed = (closed_ & slot_bit(slot)) != 0;
        const auto ends = is_closed ? gates_[slot].deadline : gates_[slot].deadline + verdict_patience;
        if (!next || ends < *next) next = ends;
    });
    return next;
}

bool gate_shard::hold(gate_seat& seat, hold_masks held_for, std::size_t bytes, time_point now) {
    SLUICE_ASSERT(seat.shard_ == this && !seat.held());
    SLUICE_ASSERT((held_for.open & holding()) != 0 || (held_for.told & sealed_) != 0);
    SLUICE_ASSERT(!has_to_refuse(held_for, bytes));
    if (is_full(bytes)) {
        ++counters_.overflowed;
        for_each_slot(held_for.all() & watched_, [&](unsigned slot) { ++gates_[slot].report.overflowed; });
        // It may come to read the table by its snapshot at any time from now on.
        for_each_slot(held_for.told & sealed_, [&](unsigned slot) { unseal(slot); });
        return false;
    }
    seat.held_for_ = held_for;
    seat.interrupted_ = false;
    seat.held_bytes_ = bytes;
    seat.held_since_ = now;
    ++held_count_;
    held_bytes_ += bytes;
    ++counters_.held;
    for_each_slot(held_for.all() & watched_, [&](unsigned slot) { ++gates_[slot].report.held; });
    const bool blocked = waits(seat);
    append(blocked ? blocked_ : ready_, seat, blocked ? gate_seat::place::blocked : gate_seat::place::ready);
    return true;
}

void gate_shard::abandon(gate_seat& seat) noexcept {
    if (seat.shard_ == this && seat.held()) take_out(seat);
}

void gate_shard::release(std::size_t burst, time_point now, std::vector<gate_seat*>& out) {
    while (interrupted_.first != nullptr) {
        auto& seat = *interrupted_.first;
        take_out(seat);
        out.push_back(&seat);
    }
    for (; burst != 0 && ready_.first != nullptr; --burst) {
        auto& seat = *ready_.first;
        record(seat, now);
        take_out(seat);
        out.push_back(&seat);
    }
}

slot_mask gate_shard::take_drained() noexcept { return std::exchange(drained_, 0); }

std::vector<seat_view> gate_shard::blockers(unsigned slot, std::size_t count_max) const {
    std::vector<seat_view> views;
    for (const auto* seat : seats_) {
        if ((seat->in_use_ & slot_bit(slot)) != 0) views.push_back(seat->view());
    }
    std::sort(views.begin(), views.end(), [](const auto& a, const auto& b) { return a.since < b.since; });
    if (views.size() > count_max) views.resize(count_max);
    return views;
}

void gate_shard::change_in_use(gate_seat& seat, slot_mask in_use) noexcept {
    const auto changed = seat.in_use_ ^ in_use;
    for_each_slot(changed, [&](unsigned slot) {
        if ((in_use & slot_bit(slot)) != 0) {
            ++in_use_count_[slot];
        } else if (--in_use_count_[slot] == 0) {
            drained_ |= slot_bit(slot);
        }
    });
    seat.in_use_ = in_use;
}

void gate_shard::append(seat_queue& queue, gate_seat& seat, gate_seat::place where) noexcept {
    seat.before_ = queue.last;
    seat.behind_ = nullptr;
    (queue.last != nullptr ? queue.last->behind_ : queue.first) = &seat;
    queue.last = &seat;
    seat.place_ = where;
    if (where == gate_seat::place::ready) count_ready(seat.held_for_.all(), +1);
}

gate_shard::seat_queue& gate_shard::queue_of(const gate_seat& seat) noexcept {
    switch (seat.place_) {
        case gate_seat::place::blocked: return blocked_;
        case gate_seat::place::interrupted: return interrupted_;
        default: return ready_;
    }
}

void gate_shard::unlink(gate_seat& seat) noexcept {
    auto& queue = queue_of(seat);
    (seat.before_ != nullptr ? seat.before_->behind_ : queue.first) = seat.behind_;
    (seat.behind_ != nullptr ? seat.behind_->before_ : queue.last) = seat.before_;
    if (seat.place_ == gate_seat::place::ready) count_ready(seat.held_for_.all(), -1);
    seat.before_ = seat.behind_ = nullptr;
    seat.place_ = gate_seat::place::none;
}

void gate_shard::take_out(gate_seat& seat) noexcept {
    unlink(seat);
    --held_count_;
    held_bytes_ -= seat.held_bytes_;
}

void gate_shard::count_ready(slot_mask mask, int by) noexcept {
    for_each_slot(mask, [&](unsigned slot) {
        ready_count_[slot] += static_cast<std::size_t>(by);
        if (ready_count_[slot] != 0) {
            ready_slots_ |= slot_bit(slot);
        } else {
            ready_slots_ &= ~slot_bit(slot);
        }
    });
}

void gate_shard::record(const gate_seat& seat, time_point now) {
    const auto waited = std::chrono::duration_cast<std::chrono::microseconds>(now - seat.held_since_).count();
    const auto us = static_cast<std::uint32_t>(std::clamp<std::int64_t>(waited, 0, UINT32_MAX));
    for_each_slot(seat.held_for_.all() & watched_, [&](unsigned slot) {
        auto& report = gates_[slot].report;
        ++report.released;
        report.max_us = std::max(report.max_us, us);
        if (report.samples_us.size() < shard_hold_report::samples_max) {
            report.samples_us.push_back(us);
            return;
        }
        // Reservoir sampling: every hold is as likely as any other to be in the sample. xorshift64 is random enough.
        sample_state_ ^= sample_state_ << 13U;
        sample_state_ ^= sample_state_ >> 7U;
        sample_state_ ^= sample_state_ << 17U;
        const auto at = sample_state_ % report.released;
        if (at < report.samples_us.size()) report.samples_us[at] = us;
    });
}

}  // namespace sluice::session

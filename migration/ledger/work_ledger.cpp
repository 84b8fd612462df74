#include "migration/ledger/work_ledger.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace sluice::migration {
namespace {

// Values that move do so among a few rows, as a rule; more would lock and write what has nothing to do with it.
constexpr std::size_t first_wide_keys = 20'000;

}  // namespace

bool stream_position::reached(const stream_position& other) const {
    if (other.marker != 0) return marker >= other.marker;
    if (executed && other.executed) return executed->contains(*other.executed);
    return at >= other.at;
}

work_ledger::work_ledger(work_ledger_options options)
    : options_(options), deltas_(options.delta_keys_max, options.delta_bytes_max) {}

template <class Condition>
bool work_ledger::wait_until(std::unique_lock<std::mutex>& lock, steady_time until, Condition condition) {
    const auto over = [&] { return stopping_ || condition(); };
    // Where nothing is to be waited for, nobody is asked to wake this thread up.
    if (!over() && std::chrono::steady_clock::now() < until) changed_.wait_until(lock, until, over);
    return !stopping_ && condition();
}

bool work_ledger::wait_for_room() {
    std::unique_lock lock(mutex_);
    // A full set empties only as fast as batches are applied: neither the barrier nor parked batches (a cut-over) may
    // dead-lock with it.
    changed_.wait(lock, [&] { return stopping_ || parked_ || !frontier_ || !deltas_.full(); });
    return !stopping_;
}

std::uint64_t work_ledger::begin_transaction(const std::optional<binlog::gtid>& gtid) {
    const std::lock_guard lock(mutex_);
    ++transactions_begun_;
    if (gtid) {
        unconfirmed_.add(*gtid);
    } else {
        visible_ = transactions_begun_;
    }
    return transactions_begun_;
}

void work_ledger::add_changes(std::uint64_t transaction, std::vector<row_key> keys) {
    const std::lock_guard lock(mutex_);
    deltas_seen_ += keys.size();
    if (!watched_.empty()) note_changes(keys);
    for (row_key& key : keys) deltas_.add(std::move(key), transaction);
    changed_.notify_all();
}

void work_ledger::begin_stream(stream_position start) {
    const std::lock_guard lock(mutex_);
    position_ = std::move(start);
}

void work_ledger::read_through(const std::optional<binlog::gtid>& gtid, const binlog::coordinates& end) {
    const std::lock_guard lock(mutex_);
    if (position_.executed && gtid) position_.executed->add(*gtid);
    position_.at = end;
    if (position_waiters_ != 0) changed_.notify_all();
}

void work_ledger::set_prepared(std::vector<std::string> xids) {
    const std::lock_guard lock(mutex_);
    prepared_ = std::move(xids);
}

std::vector<std::string> work_ledger::prepared() const {
    const std::lock_guard lock(mutex_);
    return prepared_;
}

void work_ledger::marker_seen(std::uint64_t marker) {
    const std::lock_guard lock(mutex_);
    // Two sessions may write theirs in the other order; a later number was taken later, and so proves more.
    position_.marker = std::max(position_.marker, marker);
    changed_.notify_all();
}

void work_ledger::heartbeat_seen(std::chrono::system_clock::time_point written) {
    const std::lock_guard lock(mutex_);
    heartbeat_ = written;
}

std::optional<work_ledger::confirmation> work_ledger::begin_confirmation() {
    const std::lock_guard lock(mutex_);
    if (confirming_ || visible_ == transactions_begun_) return std::nullopt;
    confirming_ = true;
    return confirmation{std::exchange(unconfirmed_, {}), transactions_begun_};
}

void work_ledger::end_confirmation(const confirmation& which, bool visible) {
    const std::lock_guard lock(mutex_);
    confirming_ = false;
    if (visible) {
        visible_ = which.through;
    } else {
        unconfirmed_.add(which.transactions);
    }
    changed_.notify_all();
}

void work_ledger::set_frontier(copy_frontier frontier) {
    const std::lock_guard lock(mutex_);
    frontier_ = std::move(frontier);
    changed_.notify_all();
}

void work_ledger::go_on_from(copy_progress done, std::uint64_t rows_copied, std::uint64_t deltas_applied) {
    const std::lock_guard lock(mutex_);
    frontier_.emplace(std::move(done));
    goes_on_ = true;
    rows_copied_ = rows_copied;
    deltas_applied_ = deltas_applied;
    changed_.notify_all();
}

std::optional<copy_progress> work_ledger::copied() const {
    const std::lock_guard lock(mutex_);
    if (!frontier_) return std::nullopt;
    copy_progress done{frontier_->range(), frontier_->dispatched(), frontier_->all_dispatched()};
    if (chunks_open_.empty()) return done;
    // Chunks behind the first one that is open may be copied as well: they are copied again, for what they lack.
    const open_chunk& first = chunks_open_.begin()->second;
    done.all = false;
    done.through = first.lower_inclusive ? std::nullopt : std::optional(first.lower);
    return done;
}

std::optional<work_ledger::chunk_start> work_ledger::next_chunk_start() const {
    const std::lock_guard lock(mutex_);
    if (!frontier_ || frontier_->all_dispatched()) return std::nullopt;
    return chunk_start{frontier_->next_lower(), frontier_->next_lower_inclusive(), frontier_->upper()};
}

work_ledger::chunk work_ledger::dispatch(const chunk_start& start, std::optional<key_bound> upper) {
    const std::lock_guard lock(mutex_);
    chunk begun{start.lower,     start.inclusive,      upper ? *upper : start.range_max,
                chunks_.begin(), ++chunks_dispatched_, goes_on_};
    frontier_->dispatched(std::move(upper));
    chunks_open_.emplace(begun.number, open_chunk{begun.lower, begun.lower_inclusive});
    return begun;
}

void work_ledger::dispatch_again(chunk& which) {
    const std::lock_guard lock(mutex_);
    which.ticket = chunks_.begin();
}

void work_ledger::chunk_attempt_ended(const chunk& which) {
    const std::lock_guard lock(mutex_);
    chunks_.end(which.ticket);
    changed_.notify_all();
}

void work_ledger::chunk_copied(const chunk& which, std::uint64_t rows) {
    const std::lock_guard lock(mutex_);
    rows_copied_ += rows;
    chunks_open_.erase(which.number);
    changed_.notify_all();
}

bool work_ledger::all_copied() const {
    const std::lock_guard lock(mutex_);
    return frontier_ && frontier_->all_dispatched() && chunks_open_.empty();
}

std::optional<work_ledger::batch> work_ledger::take_batch(std::size_t keys_max, std::chrono::milliseconds wait) {
    std::unique_lock lock(mutex_);
    const auto may_take = [&] {
        if (parked_ || !frontier_ || (pace_.apply_paused && chunks_open_.empty())) return false;
        if ((wide_keys_ != 0 || !options_.parallel_batches) && batches_in_flight_ != 0) return false;
        const std::uint64_t oldest = deltas_.oldest_waiting();
        return oldest != 0 && oldest <= visible_;
    };
    const auto may_confirm = [&] { return !confirming_ && visible_ != transactions_begun_; };
    wait_until(lock, std::chrono::steady_clock::now() + wait, [&] { return may_take() || may_confirm(); });
    if (stopping_ || !may_take()) return std::nullopt;
    batch taken;
    taken.wide_keys = wide_keys_;
    taken.keys = deltas_.take(wide_keys_ != 0 ? wide_keys_ : keys_max, visible_,
                              [this](const row_key& key) { return frontier_->copy_will_see(key); });
    if (taken.keys.empty()) {
        changed_.notify_all();  // dropping made room
        return std::nullopt;
    }
    taken.barrier = chunks_.barrier();
    ++batches_in_flight_;
    return taken;
}

bool work_ledger::wait_for_chunks(const batch& which) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return stopping_ || chunks_.passed(which.barrier); });
    return !stopping_;
}

void work_ledger::batch_applied(const batch& which) {
    const std::lock_guard lock(mutex_);
    deltas_.done(which.keys);
    deltas_applied_ += which.keys.size();
    --batches_in_flight_;
    if (which.wide_keys != 0) wide_keys_ = 0;
    changed_.notify_all();
}

void work_ledger::batch_failed(const batch& which) {
    const std::lock_guard lock(mutex_);
    deltas_.put_back(which.keys);
    --batches_in_flight_;
    changed_.notify_all();
}

void work_ledger::widen_next_batch(const batch& failed) {
    const std::lock_guard lock(mutex_);
    const bool was_cut = failed.wide_keys != 0 && failed.keys.size() >= failed.wide_keys;
    wide_keys_ = std::max({wide_keys_, first_wide_keys, was_cut ? 2 * failed.wide_keys : failed.wide_keys});
}

bool work_ledger::park_batches(steady_time until) {
    std::unique_lock lock(mutex_);
    parked_ = true;
    changed_.notify_all();
    return wait_until(lock, until, [&] { return batches_in_flight_ == 0; });
}

void work_ledger::unpark_batches() {
    const std::lock_guard lock(mutex_);
    parked_ = false;
    changed_.notify_all();
}

work_ledger::batch work_ledger::take_all() {
    const std::lock_guard lock(mutex_);
    SLUICE_ASSERT(parked_ && batches_in_flight_ == 0);
    batch taken;
    taken.keys = deltas_.take(std::numeric_limits<std::size_t>::max(), std::numeric_limits<std::uint64_t>::max(), {});
    ++batches_in_flight_;
    return taken;
}

void work_ledger::note_changes(const std::vector<row_key>& keys) {
    for (const row_key& key : keys) {
        if (const auto watched = watched_.find(key.literals); watched != watched_.end()) watched->second = true;
    }
}

std::uint64_t work_ledger::watch(std::vector<std::string> keys) {
    const std::lock_guard lock(mutex_);
    watched_.clear();
    for (std::string& key : keys) watched_.emplace(std::move(key), false);
    return transactions_begun_;
}

std::set<std::string> work_ledger::changed_meanwhile() const {
    const std::lock_guard lock(mutex_);
    std::set<std::string> changed;
    for (const auto& [key, has_changed] : watched_) {
        if (has_changed) changed.insert(key);
    }
    return changed;
}

void work_ledger::repair(std::vector<row_key> keys) {
    const std::lock_guard lock(mutex_);
    // Under the number of the last transaction: what is read for them is at least as new as that one makes the rows.
    // Where there was none yet, nothing is unconfirmed either.
    if (transactions_begun_ == 0) visible_ = transactions_begun_ = 1;
    for (row_key& key : keys) deltas_.add(std::move(key), transactions_begun_);
    changed_.notify_all();
}

std::uint64_t work_ledger::transactions_begun() const {
    const std::lock_guard lock(mutex_);
    return transactions_begun_;
}

bool work_ledger::wait_read_through(const stream_position& position, steady_time until) {
    std::unique_lock lock(mutex_);
    // Every transaction of the server moves the position; nobody is woken for it unless somebody waits.
    ++position_waiters_;
    const bool reached = wait_until(lock, until, [&] { return position_.reached(position); });
    --position_waiters_;
    return reached;
}

bool work_ledger::wait_marker(std::uint64_t marker, steady_time until) {
    std::unique_lock lock(mutex_);
    return wait_until(lock, until, [&] { return position_.marker >= marker; });
}

bool work_ledger::wait_applied_through(std::uint64_t transaction, steady_time until) {
    std::unique_lock lock(mutex_);
    return wait_until(lock, until, [&] { return deltas_.applied_through(transaction); });
}

void work_ledger::idle(std::chrono::milliseconds at_most) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, at_most, [&] { return stopping_; });
}

void work_ledger::stop() {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
}

bool work_ledger::stopping() const {
    const std::lock_guard lock(mutex_);
    return stopping_;
}

void work_ledger::fail(failure why) {
    const std::lock_guard lock(mutex_);
    if (!failure_ && !stopping_) failure_ = std::move(why);
    stopping_ = true;
    changed_.notify_all();
}

std::optional<failure> work_ledger::first_failure() const {
    const std::lock_guard lock(mutex_);
    return failure_;
}

void work_ledger::pause_copy(bool paused) {
    const std::lock_guard lock(mutex_);
    copy_paused_ = paused;
    changed_.notify_all();
}

bool work_ledger::copy_paused() const {
    const std::lock_guard lock(mutex_);
    return copy_paused_;
}

void work_ledger::set_pace(const work_pace& pace) {
    const std::lock_guard lock(mutex_);
    if (pace == pace_) return;
    pace_ = pace;
    changed_.notify_all();
}

work_pace work_ledger::pace() const {
    const std::lock_guard lock(mutex_);
    return pace_;
}

work_ledger::counters work_ledger::count() const {
    const std::lock_guard lock(mutex_);
    return counters{rows_copied_, deltas_seen_, deltas_applied_, deltas_.dropped(), deltas_.size(),
                    position_,    heartbeat_,   chunk_retries_,  last_chunk_error_};
}

void work_ledger::note_chunk_retry(std::string why) {
    const std::lock_guard lock(mutex_);
    ++chunk_retries_;
    last_chunk_error_ = std::move(why);
}

}  // namespace sluice::migration

#pragma once

// The one thing that the threads of a migration share: what is to be copied, what is to be applied, and the rules of
// order between the two (docs/architecture.md, "Why no change is lost"). A monitor: every member is thread-safe.
//
// The rules that it keeps:
//  - visible before read: a change is handed out only once its transaction is visible to new snapshots;
//  - a batch waits for every chunk statement that began before it was formed;
//  - a change is dropped only if a chunk that is not yet dispatched will read its row;
//  - a key is in one batch at a time; where different bytes may be the same key to the server, so is every key.

#include "migration/ledger/chunk_ledger.hpp"
#include "migration/ledger/copy_frontier.hpp"
#include "migration/ledger/delta_set.hpp"
#include "migration/ledger/write_turns.hpp"
#include "migration/model/failure.hpp"
#include "protocol/binlog/coordinates.hpp"
#include "protocol/binlog/gtid_set.hpp"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <limits>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace sluice::migration {

using steady_time = std::chrono::steady_clock::time_point;

/// A place in the stream: with GTIDs the set of transactions, without them file and position.
struct stream_position {
    std::optional<binlog::gtid_set> executed;
    binlog::coordinates at;
    /// The highest marker of the changelog up to here; not 0 in `other`: it alone tells the place.
    std::uint64_t marker = 0;

    /// Everything of `other` lies at or before this place.
    [[nodiscard]] bool reached(const stream_position& other) const;
};

struct work_ledger_options {
    std::size_t delta_keys_max = 1'000'000;
    bool parallel_batches = true;  ///< false: one batch in flight at a time
    std::size_t delta_bytes_max = std::numeric_limits<std::size_t>::max();
};

struct work_pace {
    /// No batch is handed out once no chunk is under way: one in flight may need changes to be applied.
    bool apply_paused = false;
    double rest_ratio = 0.0;           ///< of a copy worker behind a chunk, as a share of the time that it took
    std::size_t chunk_rows_fixed = 0;  ///< 0: steered by time
    std::size_t batch_keys_max = 500;

    bool operator==(const work_pace&) const = default;
};

class work_ledger {
public:
    explicit work_ledger(work_ledger_options options);

    // --- the stream reader ---

    /// Waits while the delta set is full; false when the work is stopping. Before the copy's range is known, and while
    /// batches are parked, nothing can empty it, and waiting would never end: then it grows for that short time.
    bool wait_for_room();
    /// A transaction that changes the table begins; its number. gtid: nullopt where reads wait for the commit by locks.
    std::uint64_t begin_transaction(const std::optional<binlog::gtid>& gtid);
    void add_changes(std::uint64_t transaction, std::vector<row_key> keys);
    void begin_stream(stream_position start);
    /// A transaction has been read to its end and handed over. gtid: nullopt if it has none.
    void read_through(const std::optional<binlog::gtid>& gtid, const binlog::coordinates& end);
    /// The XA transactions that have changed the table and are prepared: their changes are still to come.
    void set_prepared(std::vector<std::string> xids);
    [[nodiscard]] std::vector<std::string> prepared() const;
    /// A marker row of the changelog came back.
    void marker_seen(std::uint64_t marker);
    /// A heartbeat came back, written at this time.
    void heartbeat_seen(std::chrono::system_clock::time_point written);

    // --- visibility ---

    struct confirmation {
        binlog::gtid_set transactions;
        std::uint64_t through = 0;
    };
    /// Transactions whose visibility somebody should now confirm with the server; nullopt when there are none, or when
    /// another thread is at it. Must be followed by end_confirmation().
    std::optional<confirmation> begin_confirmation();
    void end_confirmation(const confirmation& which, bool visible);

    // --- the copy ---

    struct chunk {
        key_bound lower;
        bool lower_inclusive = false;
        key_bound upper;  ///< inclusive
        chunk_ledger::ticket ticket = 0;
        std::uint64_t number = 0;    ///< in the order of dispatch
        bool may_meet_rows = false;  ///< the ghost may have rows of it, from an earlier process
    };
    void set_frontier(copy_frontier frontier);
    /// The same for a copy that an earlier process has begun, with what it had counted.
    void go_on_from(copy_progress done, std::uint64_t rows_copied, std::uint64_t deltas_applied);
    /// What is in the ghost for certain; nullopt before the range is known.
    [[nodiscard]] std::optional<copy_progress> copied() const;
    /// Where the next chunk begins; nullopt when all is dispatched. Planning is the caller's to serialise.
    struct chunk_start {
        key_bound lower;
        bool inclusive = false;
        key_bound range_max;
    };
    [[nodiscard]] std::optional<chunk_start> next_chunk_start() const;
    /// The chunk is about to be read: call before its statement is sent.
    [[nodiscard]] chunk dispatch(const chunk_start& start, std::optional<key_bound> upper);
    /// Another attempt at the same chunk, with a snapshot of its own.
    void dispatch_again(chunk& which);
    void chunk_attempt_ended(const chunk& which);
    void chunk_copied(const chunk& which, std::uint64_t rows);
    [[nodiscard]] bool all_copied() const;

    // --- the apply ---

    struct batch {
        std::vector<row_key> keys;
        chunk_ledger::ticket barrier = 0;
        std::size_t wide_keys = 0;  ///< of a wide batch: how many it might have had
    };
    /// Keys that may be applied once wait_for_chunks() has said so. Waits up to `wait` for some; nullopt when there are
    /// none, when batches are parked, or when one must wait for another.
    std::optional<batch> take_batch(std::size_t keys_max, std::chrono::milliseconds wait);
    /// Waits until no chunk statement from before the batch is in flight; false when the work is stopping.
    bool wait_for_chunks(const batch& which);
    void batch_applied(const batch& which);
    void batch_failed(const batch& which);
    /// A value moves between rows (a duplicate on another unique key), which must travel in one batch: the next one is
    /// alone and wide, and until a wide one succeeds, each that was too narrow is followed by one of twice the keys.
    void widen_next_batch(const batch& failed);

    /// No batch is handed out any more; waits until none is in flight. False when `until` came first.
    bool park_batches(steady_time until);
    void unpark_batches();
    /// For the lock session of the cut-over, while batches are parked: everything waiting, whatever its visibility.
    [[nodiscard]] batch take_all();

    // --- copy and apply ---

    /// Before each statement (copy) or transaction (apply) that writes to the ghost. A batch has waited for its chunks
    /// before that.
    [[nodiscard]] write_turns::turn take_turn(turn_kind kind) { return turns_.take(kind); }

    // --- the comparison of the two tables ---

    /// From now on it is noted which of these keys (row_key::literals) change; what was noted before is forgotten.
    /// Returns transactions_begun(): a change with a higher number, or a later one of that number, is noted.
    std::uint64_t watch(std::vector<std::string> keys);
    /// Of the watched keys, those that have changed since.
    [[nodiscard]] std::set<std::string> changed_meanwhile() const;
    /// Carries the rows into the ghost once more, as if they had changed.
    void repair(std::vector<row_key> keys);

    // --- waiting for each other ---

    [[nodiscard]] std::uint64_t transactions_begun() const;
    bool wait_read_through(const stream_position& position, steady_time until);
    bool wait_marker(std::uint64_t marker, steady_time until);
    bool wait_applied_through(std::uint64_t transaction, steady_time until);
    /// Blocks for `at_most`, or until the work stops or fails.
    void idle(std::chrono::milliseconds at_most);

    // --- ends and pauses ---

    void stop();
    [[nodiscard]] bool stopping() const;
    /// The first failure stops the work and is kept.
    void fail(failure why);
    [[nodiscard]] std::optional<failure> first_failure() const;
    void pause_copy(bool paused);
    [[nodiscard]] bool copy_paused() const;
    /// A chunk's statement has failed for this reason and is tried again, with fewer rows maybe.
    void note_chunk_retry(std::string why);
    /// How hard the workers may go at it; the coordinator changes it while they work.
    void set_pace(const work_pace& pace);
    [[nodiscard]] work_pace pace() const;

    struct counters {
        std::uint64_t rows_copied = 0;
        std::uint64_t deltas_seen = 0;
        std::uint64_t deltas_applied = 0;
        std::uint64_t deltas_dropped = 0;
        std::uint64_t backlog_keys = 0;
        stream_position position;
        std::optional<std::chrono::system_clock::time_point> heartbeat;  ///< when the last one seen was written
        std::uint64_t chunk_retries = 0;
        std::string last_chunk_error;
    };
    [[nodiscard]] counters count() const;

private:
    void note_changes(const std::vector<row_key>& keys);
    template <class Condition>
    bool wait_until(std::unique_lock<std::mutex>& lock, steady_time until, Condition condition);

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    work_ledger_options options_;

    write_turns turns_;
    delta_set deltas_;
    chunk_ledger chunks_;
    std::optional<copy_frontier> frontier_;

    std::uint64_t transactions_begun_ = 0;
    std::uint64_t visible_ = 0;
    binlog::gtid_set unconfirmed_;
    bool confirming_ = false;

    stream_position position_;
    unsigned position_waiters_ = 0;
    std::vector<std::string> prepared_;
    std::optional<std::chrono::system_clock::time_point> heartbeat_;

    std::unordered_map<std::string, bool> watched_;  ///< and whether the key has changed since

    std::size_t batches_in_flight_ = 0;
    bool parked_ = false;
    std::size_t wide_keys_ = 0;  ///< of the next batch; 0: it is a usual one

    std::uint64_t chunk_retries_ = 0;
    std::string last_chunk_error_;

    bool stopping_ = false;
    bool copy_paused_ = false;
    work_pace pace_;
    std::optional<failure> failure_;

    struct open_chunk {
        key_bound lower;
        bool lower_inclusive = false;
    };
    std::map<std::uint64_t, open_chunk> chunks_open_;  ///< by number: dispatched, not yet copied; a retry counts once
    std::uint64_t chunks_dispatched_ = 0;
    bool goes_on_ = false;
    std::uint64_t rows_copied_ = 0;
    std::uint64_t deltas_seen_ = 0;
    std::uint64_t deltas_applied_ = 0;
};

}  // namespace sluice::migration

#pragma once

// What the world sees of a migration: an immutable value, made by the coordinator, read by admin and proxy threads.

#include "migration/checksum/verification_report.hpp"
#include "migration/model/alter_way.hpp"
#include "migration/model/failure.hpp"
#include "migration/model/migration_spec.hpp"
#include "migration/model/swap_names.hpp"
#include "migration/ports/traffic_gate.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::migration {

/// In the order in which a migration passes them.
enum class migration_state {
    queued,     ///< accepted, not begun
    checking,   ///< preconditions
    altering,   ///< the server is asked to do it by itself: INSTANT, INPLACE
    preparing,  ///< ghost, changelog, column mapping, stream attached, barrier
    copying,    ///< copy and apply side by side
    indexing,   ///< building the deferred secondary indexes
    verifying,  ///< comparing every row of the ghost with the original
    ready,      ///< all copied, backlog small; waiting for a good moment or for the operator
    cutting_over,
    in_sync,    ///< the new table is live, and the old one follows it (keep_old_table_in_sync)
    reverting,  ///< waiting for a good moment to give the old table its name back, and doing it
    tidying,
    completed,
    reverted,  ///< the old table is live again, with every write made since
    aborted,   ///< by the operator
    failed,
};

[[nodiscard]] std::string_view to_string(migration_state state) noexcept;
[[nodiscard]] std::optional<migration_state> parse_migration_state(std::string_view text) noexcept;
[[nodiscard]] bool is_final(migration_state state) noexcept;

/// What the operator has said last of how it is to end, and what is not reached yet.
enum class standing_order {
    abort,   ///< while reverting: only the revert is called off
    revert,  ///< the old table takes its name back
    finish,  ///< the old table is let go
};

[[nodiscard]] std::string_view to_string(standing_order order) noexcept;
[[nodiscard]] std::optional<standing_order> parse_standing_order(std::string_view text) noexcept;

struct cutover_step {
    std::string name;  ///< close, drain, lock, position, apply, rename, open
    std::chrono::microseconds took{0};
};

struct cutover_attempt {
    std::uint32_t number = 0;
    std::chrono::system_clock::time_point began;
    bool succeeded = false;
    bool backwards = false;        ///< of a revert: the old table takes its name back
    std::string group;             ///< the migrations of this group changed places together; empty: this one alone
    std::string given_up_because;  ///< empty on success
    std::vector<cutover_step> steps;
    hold_report hold;
    std::vector<gate_blocker> blockers;  ///< seen before or during the attempt
};

/// A session that kill_blockers_after had ended, or tried to.
struct blocker_kill {
    std::chrono::system_clock::time_point at;
    std::uint32_t before_attempt = 0;  ///< number of the attempt that it stood in the way of
    gate_blocker blocker;
    std::string error;  ///< why it could not be ended; empty: it was
};

/// The old table after the swap, following the new one (keep_old_table_in_sync).
struct way_back_report {
    bool open = false;                 ///< the old table is kept current; `revert` is possible
    std::string unique_key;            ///< by which rows are followed in this direction
    std::uint64_t changes_seen = 0;    ///< row changes of the new table read from the stream
    std::uint64_t keys_applied = 0;    ///< written to the old table
    std::uint64_t backlog_keys = 0;    ///< distinct keys waiting to be applied
    std::string resume_from;           ///< everything up to this place of the stream is in the old table
    bool resume_is_after_swap = true;  ///< false: what stands between resume_from and the swap is no concern of it
    /// What the new table's triggers were called on the old one, by their names. Not for the world
    std::map<std::string, std::string> former_trigger_names;
    verification_report verification;  ///< of the old table against the new one, since this process follows it
    std::optional<std::chrono::system_clock::time_point> since;  ///< when the new table became live
    std::optional<failure> ended_by;                             ///< why no revert is possible any more
};

struct migration_snapshot {
    std::string id;  ///< short, unique, usable in a URL: 16 lower-case hex digits
    migration_spec spec;
    migration_state state = migration_state::queued;
    bool paused = false;                       ///< by the operator
    bool postponed = false;                    ///< the cut-over waits for the operator
    std::optional<standing_order> ordered;     ///< for the next process, if this one is killed. Not for the world
    std::string waiting_for;                   ///< why nothing moves right now, empty when it does
    std::optional<alter_way> way;              ///< how the table gets its new shape, once that is decided
    std::vector<passed_over_way> passed_over;  ///< ways that the operator allows and that were not taken, and why not
    std::string unique_key;                    ///< name and columns of the key in use; empty where rows are not copied
    std::uint64_t rows_estimate = 0;
    std::uint64_t rows_copied = 0;
    std::uint64_t rows_per_s = 0;      ///< copy rate over the last seconds
    std::uint64_t chunk_rows = 0;      ///< current chunk size
    std::uint64_t chunk_retries = 0;   ///< statements of chunks that failed and were tried again
    std::string last_chunk_error;      ///< why the last of these failed
    std::uint64_t deltas_seen = 0;     ///< row changes of the table read from the stream
    std::uint64_t deltas_applied = 0;  ///< keys written to the ghost
    std::uint64_t deltas_dropped = 0;  ///< keys that the copy was still to visit
    std::uint64_t backlog_keys = 0;    ///< distinct keys waiting to be applied
    double progress = 0.0;             ///< 0 … 1 of the copy
    std::optional<std::chrono::seconds> eta;
    verification_report verification;                        ///< nothing was compared where the option `verify` is off
    std::string stream_position;                             ///< GTID set or file:position read so far
    std::string stream_file;                                 ///< file:position read so far, with GTIDs too
    std::string throttled_by;                                ///< the first reason to hold back; empty: none
    std::optional<std::chrono::milliseconds> lag;            ///< age of the last heartbeat that the server took
    std::optional<std::chrono::milliseconds> heartbeat_lag;  ///< the same of the last one that came by the stream
    /// p99 of the clients' statements, where it is looked at (max_client_latency_rise_percent) and enough of them are
    /// sent.
    std::optional<std::chrono::microseconds> client_latency;
    std::optional<std::chrono::microseconds> client_latency_baseline;  ///< the same without the copy
    std::chrono::system_clock::time_point created;
    std::chrono::system_clock::time_point changed;  ///< of the last state change
    std::optional<std::chrono::system_clock::time_point> ended;
    std::vector<cutover_attempt> cutover_attempts;  ///< the last 100
    std::vector<blocker_kill> blocker_kills;        ///< likewise
    std::optional<failure> error;                   ///< set when failed (or aborted with leftovers)
    std::vector<std::string> leftovers;             ///< tables that this migration made and that still exist, quoted
    std::chrono::milliseconds copy_took{0};         ///< from the first chunk to the last one; 0 before its end
    way_back_report way_back;
    std::vector<swap_names> swap_group;  ///< since its first attempt in a group: of all members. Not for the world
    hold_report direct_hold;             ///< of the clients, while the server altered the table by itself
    std::string checkpoint;     ///< where a later process goes on, see checkpoint/checkpoint.hpp. Not for the world
    std::uint32_t resumed = 0;  ///< how often a process went on from one
    /// While `altering`: SHOW CREATE TABLE before the server's own ALTER and of an altered copy, for a process that has
    /// to find out whether the ALTER took place. Not for the world.
    std::string definition_before;
    std::string definition_wanted;
};

using snapshot_ptr = std::shared_ptr<const migration_snapshot>;

}  // namespace sluice::migration

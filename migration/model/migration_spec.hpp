#pragma once

// What an operator asks for: which table, which change, and how.

#include "migration/model/table_description.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace sluice::migration {

struct migration_options {
    std::chrono::milliseconds chunk_time_target{200};     ///< steer the chunk size to this; 10 ms … 5 s
    std::size_t chunk_rows_initial = 1000;                ///< 10 … 100 000
    std::size_t chunk_rows_fixed = 0;                     ///< 0: steered by time
    std::size_t copy_workers = 2;                         ///< 1 … 32
    std::size_t apply_workers = 2;                        ///< 1 … 32
    std::size_t apply_batch_keys = 500;                   ///< keys in one delta transaction, 10 … 5 000
    std::size_t delta_keys_max = 1'000'000;               ///< bound of the delta set; full: the stream waits
    std::size_t delta_bytes_max = 256 * 1024 * 1024;      ///< the same in bytes of keys; 1 MiB … 64 GiB
    bool defer_secondary_indexes = true;                  ///< build non-unique secondary indexes after the copy
    bool postpone_cutover = false;                        ///< wait for the operator's cut-over command
    bool drop_old_table = false;                          ///< drop `_t_del` after the cut-over; false: keep it
    bool drop_leftovers = false;                          ///< drop artefacts of an earlier run of this table first
    std::chrono::milliseconds hold_budget{500};           ///< longest time the gate stays closed, 10 ms … 10 s
    std::chrono::milliseconds hold_interval{5000};        ///< shortest time between two attempts, 100 ms … 1 h
    std::chrono::milliseconds hold_interval_max{60'000};  ///< the interval doubles up to this while attempts fail
    std::uint32_t cutover_attempts_max = 60;              ///< then the migration parks as failed
    std::string hold_scope = "table";  ///< what a closed gate holds: "table" (or empty), "all", "none" (no gate at all)
    std::string cutover_window;        ///< days and hours in which a cut-over may take place; empty: always
    std::string postpone_flag_file;    ///< while this file exists the cut-over waits; empty: none
    std::chrono::milliseconds max_blocker_age{1'000};  ///< an older transaction is waited for before the gate closes
    std::chrono::milliseconds page_flush_wait{1'200};  ///< longest wait for the server's page cleaner; 0: none
    std::chrono::milliseconds kill_blockers_after{0};  ///< 0: never; else blockers that stand longer are killed
    bool keep_old_table_in_sync = false;               ///< after the swap changes flow back into the old table
    std::uint32_t keep_in_sync_max_s = 0;              ///< then the migration completes by itself; 0: by command only
    std::string cutover_group;                         ///< migrations of one group swap together; empty: alone
    std::uint32_t cutover_group_size = 0;              ///< how many migrations the group has; 0: no group
    bool verify = true;                                ///< compare every row of the ghost before the swap
    bool attempt_instant = false;                      ///< let the server do it with ALGORITHM=INSTANT if it can
    bool instant_at_once = false;                      ///< nor does that wait while postponed or paused
    bool attempt_inplace = false;                      ///< likewise INPLACE, where that changes metadata only
    std::chrono::milliseconds ddl_lock_wait{500};  ///< longest wait of such a statement for its lock, 10 ms … 1 min
    bool allow_nullable_unique_key = false;        ///< a unique key on nullable columns may identify rows; none is NULL
    bool keep_foreign_keys = false;                ///< the table's own foreign keys are carried over
    bool discard_foreign_keys = false;             ///< the table's own foreign keys are left behind
    bool rebuild_referencing_keys = false;  ///< foreign keys of other tables to this one are pointed at the new one
    bool include_triggers = false;          ///< the table's triggers are made again for the new table
    std::string trigger_suffix;             ///< behind the name of each trigger that is made again
    bool remove_trigger_suffix = false;     ///< take trigger_suffix away where a name ends with it, else add it
    std::string time_zone;       ///< in which TIMESTAMP becomes DATETIME and back; empty: the server's global time_zone
    std::string old_table_name;  ///< what the original is called after the swap; empty: `_t_del`
    std::string tables_named_after;     ///< `_x_gho`, `_x_ghc`, `_x_del` with this for x; empty: the table's name
    bool skip_renamed_columns = false;  ///< a renamed column is a new one: the old one's values are left behind
    std::uint32_t checkpoint_interval_s = 10;  ///< after so long a process that is killed goes on from there; 0: never
    // When to hold back; see throttle/throttle_settings.hpp.
    std::string max_load;                                   ///< "Threads_running=25,…": from there on it throttles
    std::string critical_load;                              ///< likewise: from there on the migration ends or rests
    std::chrono::milliseconds critical_load_interval{0};    ///< 0: the first time counts; else met again after this
    std::chrono::milliseconds critical_load_rest{0};        ///< 0: it ends the migration; else it rests for so long
    std::string control_replicas;                           ///< "host,host:port": their lag throttles
    std::chrono::milliseconds max_lag{1'500};               ///< of such a replica; 100 ms … 1 h
    std::string throttle_query;                             ///< a number above 0 throttles
    std::string throttle_http;                              ///< URL; any answer to HEAD but 200 throttles
    std::chrono::milliseconds throttle_http_interval{100};  ///< 10 ms … 1 min
    std::chrono::milliseconds throttle_http_timeout{1'000};
    bool throttle_http_ignore_errors = false;   ///< an URL that does not answer does not throttle
    std::string throttle_flag_file;             ///< while it exists the migration throttles
    std::string throttle_additional_flag_file;  ///< likewise: one for several migrations
    std::uint32_t nice_percent = 0;             ///< rest after a chunk, in percent of its time; 0 … 10 000
    // What only a proxy can see; see throttle/client_latency.hpp.
    std::uint32_t max_client_latency_rise_percent =
        0;                                            ///< of the p99 of clients' statements, over its baseline; 0: off
    std::chrono::milliseconds min_client_latency{5};  ///< a lower p99 never throttles
    std::chrono::milliseconds client_latency_window{5'000};  ///< over which the p99 is taken; 1 s … 30 s
    std::chrono::milliseconds heartbeat_interval{0};         ///< 0: heartbeats only where replicas are watched
};

enum class run_kind {
    begin,
    resume,     ///< goes on from the checkpoint in `_t_ghk`; a failure where there is none that fits
    take_back,  ///< reverts a finished migration: options.old_table_name is the table that is to be live again
};

struct migration_spec {
    table_name table;
    std::string alter;  ///< the text after ALTER TABLE t, or the whole statement
    migration_options options;
    // For a run whose state is stored nowhere else.
    bool checkpoint_table = false;  ///< checkpoints are kept in `_t_ghk`, beside the table
    run_kind kind = run_kind::begin;
    bool drop_former_old_table = false;  ///< `_t_del` of an earlier run goes, once nothing refuses this one
};

}  // namespace sluice::migration

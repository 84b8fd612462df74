#pragma once

// What an operator asks for: which table, which change, and how.

#include "migration/model/table_description.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace sluice::migration {

struct migration_options {
    std::chrono::milliseconds chunk_time_target{200};  ///< steer the chunk size to this; 10 ms … 5 s
    std::size_t chunk_rows_initial = 1000;             ///< 10 … 100 000
    std::size_t chunk_rows_fixed = 0;                  ///< 0: steered by time
    std::size_t copy_workers = 2;                      ///< 1 … 32
    std::size_t apply_workers = 2;                     ///< 1 … 32
    std::size_t apply_batch_keys = 500;                ///< keys in one delta transaction, 10 … 5 000
    std::size_t delta_keys_max = 1'000'000;            ///< bound of the delta set; full: the stream waits
    bool defer_secondary_indexes = true;               ///< build non-unique secondary indexes after the copy
    bool postpone_cutover = false;                     ///< wait for the operator's cut-over command
    bool drop_old_table = false;                       ///< drop `_t_del` after the cut-over; false: keep it
    bool drop_leftovers = false;                       ///< drop artefacts of an earlier run of this table first
    std::chrono::milliseconds hold_budget{500};        ///< longest time the gate stays closed, 10 ms … 10 s
    std::chrono::milliseconds hold_interval{5000};     ///< shortest time between two attempts, 100 ms … 1 h
    std::uint32_t cutover_attempts_max = 60;           ///< then the migration parks as failed
};

struct migration_spec {
    table_name table;
    std::string alter;  ///< the text after ALTER TABLE t, or the whole statement
    migration_options options;
};

}  // namespace sluice::migration

#pragma once

// Copies the original into the ghost, chunk by chunk. Several workers share one planner; each has its own connection
// and runs on its own thread.

#include "migration/apply/key_codec.hpp"
#include "migration/copy/chunk_parts.hpp"
#include "migration/copy/chunk_sizer.hpp"
#include "migration/ledger/work_ledger.hpp"
#include "migration/model/migration_plan.hpp"
#include "migration/ports/reconnecting_session.hpp"
#include "migration/ports/sql_executor.hpp"

#include <functional>
#include <mutex>
#include <optional>

namespace sluice::migration {

/// Hands out chunks in key order, one caller at a time: the frontier moves only forward. Thread-safe.
class chunk_planner {
public:
    chunk_planner(const migration_plan& plan, work_ledger& ledger);

    /// Reads the range of the original and tells the ledger. Call once, after the barrier.
    outcome<void> read_range(reconnecting_session& session);

    /// The next chunk, dispatched: its statement must be sent (or its ticket ended). nullopt when all is dispatched.
    outcome<std::optional<work_ledger::chunk>> next(reconnecting_session& session);

    /// 0: steered by time.
    void fix_chunk_rows(std::size_t rows);
    void took(std::size_t rows, std::chrono::microseconds elapsed);
    void failed();
    [[nodiscard]] std::size_t chunk_rows() const;

private:
    const migration_plan& plan_;
    work_ledger& ledger_;
    key_codec codec_;
    std::mutex planning_;  ///< held over the look-up of a bound
    mutable std::mutex sizing_;
    chunk_sizer sizer_;
};

class copy_worker {
public:
    /// place: of this worker among those of the run, from 0. may_work: see reconnecting_session::live_under().
    copy_worker(const migration_plan& plan, work_ledger& ledger, chunk_planner& planner, sql_executor& executor,
                std::size_t place = 0, std::function<outcome<void>(sql_session&)> may_work = {});

    /// Works until all is dispatched or the ledger stops. Failures go to the ledger.
    void run();

private:
    outcome<void> work();
    outcome<void> copy(work_ledger::chunk chunk);
    void rest_after(std::chrono::nanoseconds work);
    struct attempt {
        outcome<query_result> copied;
        std::chrono::microseconds elapsed;
    };
    attempt write(const range_bounds& bounds);
    /// What to do about a failed attempt; an error ends the migration.
    outcome<void> recover_from(failure why);
    outcome<void> halve(chunk_parts& parts, const failure& too_large);

    const migration_plan& plan_;
    work_ledger& ledger_;
    chunk_planner& planner_;
    reconnecting_session session_;
    key_codec codec_;

    // Of the chunk in hand.
    bool skip_present_ = false;
    bool is_first_attempt_ = true;
    unsigned attempts_ = 0;
    unsigned conflicts_ = 0;
};

}  // namespace sluice::migration

#pragma once

// The threads of one migration: a stream reader, copy workers, apply workers. Started and joined by the coordinator.

#include "migration/apply/stream_reader.hpp"
#include "migration/copy/copy_worker.hpp"
#include "migration/ledger/work_ledger.hpp"
#include "migration/model/migration_plan.hpp"
#include "migration/ports/change_feed.hpp"
#include "migration/ports/sql_executor.hpp"

#include <functional>
#include <thread>
#include <vector>

namespace sluice::migration {

class crew {
public:
    /// All arguments must outlive it. may_work: of workers, see reconnecting_session::live_under(); called on their
    /// threads, several at a time.
    crew(const migration_plan& plan, work_ledger& ledger, sql_executor& executor,
         std::function<outcome<void>(sql_session&)> may_work);
    /// Stops the ledger and joins.
    ~crew();
    crew(const crew&) = delete;
    crew& operator=(const crew&) = delete;

    void start_reader(stream_reader& reader);
    void start_apply();
    void start_copy(chunk_planner& planner);
    /// The copy workers have ended by themselves: ledger.all_copied(), or a failure.
    void join_copy();
    /// Stops the ledger; waits for every thread.
    void join_all();

private:
    const migration_plan& plan_;
    work_ledger& ledger_;
    sql_executor& executor_;
    const std::function<outcome<void>(sql_session&)> may_work_;
    std::vector<std::thread> copy_;
    std::vector<std::thread> others_;
};

}  // namespace sluice::migration

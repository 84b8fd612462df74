#pragma once

// One migration from its checks to its end. The coordinator thread, and nobody else, changes its state; commands are
// flags that it reads, and the world reads snapshots that it publishes.

#include "migration/changelog/changelog.hpp"
#include "migration/checksum/table_verification.hpp"
#include "migration/cutover/cutover.hpp"
#include "migration/engine/crew.hpp"
#include "migration/engine/migration_service.hpp"
#include "migration/engine/preparation.hpp"
#include "migration/engine/state_store.hpp"
#include "migration/engine/stream_guard.hpp"
#include "migration/ways/direct_alter.hpp"
#include "migration/ways/scratch_trial.hpp"

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

namespace sluice::migration {

struct run_environment {
    std::shared_ptr<sql_executor> sql;
    std::shared_ptr<change_feed_source> feeds;
    std::shared_ptr<traffic_gate> gate;
    state_store store;
};

class migration_run {
public:
    /// begin: a fresh snapshot (queued), or what an interrupted run has left: what it made is taken away, and it begins
    /// again, unless its swap had taken place.
    migration_run(run_environment environment, migration_snapshot begin);
    /// Stops the threads; the migration stays where it is for the next start.
    ~migration_run();
    migration_run(const migration_run&) = delete;
    migration_run& operator=(const migration_run&) = delete;

    void start();
    [[nodiscard]] snapshot_ptr snapshot() const;
    /// "wrong_state" when the command makes no sense now. Thread-safe.
    outcome<void> command(operator_command command);

private:
    enum class ending { completed, aborted, stopped };

    void coordinate();
    outcome<ending> proceed();
    outcome<void> claim();
    outcome<std::optional<ending>> settle_interrupted();
    // Ways without a copy; migration_run_direct.cpp.
    outcome<bool> altered_by_server(const sql::alter_statement& alter);
    outcome<bool> artefacts_exist(const migration_plan& names);
    outcome<scratch_trial> try_way(const server_facts& facts, const migration_plan& names,
                                   const table_description& original, const sql::alter_statement& alter, alter_way way);
    outcome<direct_end> alter_original(const server_facts& facts, alter_way way, const std::string& statement);
    outcome<bool> wanted_definition_reached();
    outcome<std::optional<ending>> settle_altering();
    void pass_over(alter_way way, const std::string& reason);
    /// The names of this migration's tables, with what settle_swap() must know of the server.
    outcome<migration_plan> names_on_server();
    outcome<void> begin_stream();
    outcome<void> copy();
    outcome<void> build_indexes();
    // The comparison before the swap; migration_run_verify.cpp.
    outcome<void> prepare_verification();
    outcome<void> verify();
    /// A step of a pass while the cut-over is postponed. False while rows that differ stand in the way of a cut-over.
    outcome<bool> verify_meanwhile();
    outcome<bool> verification_step();
    outcome<void> wait_and_cut_over();
    outcome<bool> good_moment(table_gate& gate);
    outcome<cutover_end> ask_until_known(const std::optional<failure>& why);
    void tidy();
    void conclude(outcome<ending> end);

    /// Publishes, stores now and then, and waits; an error when the work has failed, was aborted or is to stop.
    outcome<void> tick(std::chrono::milliseconds wait);
    void enter(migration_state state);
    void wait_for(std::string what);
    void publish();
    void save();
    [[nodiscard]] bool interrupted() const { return abort_requested_ || stop_requested_; }
    [[nodiscard]] failure interruption() const;
    void interrupt_statement();
    /// Runs a statement that may be repeated; lost connections and lock waits are tried again, a bounded number of
    /// times.
    outcome<query_result> run_control(std::string_view sql);
    statement_runner runner() {
        return [this](std::string_view sql) { return run_control(sql); };
    }

    run_environment environment_;
    const migration_state found_state_;  ///< of the snapshot that it was begun with

    // Commands, written by other threads.
    std::atomic<bool> abort_requested_{false};
    std::atomic<bool> stop_requested_{false};
    std::atomic<bool> paused_{false};
    std::atomic<bool> postponed_{false};
    std::atomic<std::uint64_t> running_statement_of_{0};  ///< connection id while a long statement may be killed

    // The coordinator's own.
    migration_snapshot current_;
    reconnecting_session control_;
    std::optional<prepared_migration> prepared_;
    bool tables_made_ = false;    ///< ghost and changelog may exist
    bool swap_possible_ = false;  ///< the ghost may bear the table's name: it must not be dropped
    std::unique_ptr<work_ledger> ledger_;
    std::unique_ptr<changelog> changelog_;
    std::unique_ptr<reconnecting_session> comparing_;  ///< null, and the next one too, where `verify` is off
    std::unique_ptr<table_verification> verification_;
    std::chrono::steady_clock::time_point next_comparison_{};
    std::chrono::steady_clock::time_point pass_began_{};
    std::unique_ptr<stream_reader> reader_;
    stream_guard stream_guard_;
    std::unique_ptr<chunk_planner> planner_;
    std::unique_ptr<crew> crew_;  // last of these: its threads use the others
    std::chrono::steady_clock::time_point saved_{};
    std::chrono::steady_clock::time_point rate_since_{};
    std::uint64_t rate_rows_ = 0;

    mutable std::mutex mutex_;
    snapshot_ptr published_;
    std::condition_variable woken_;
    std::thread coordinator_;
};

}  // namespace sluice::migration

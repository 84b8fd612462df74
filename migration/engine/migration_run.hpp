#pragma once

// One migration from its checks to its end. The coordinator thread, and nobody else, changes its state; commands are
// flags that it reads, and the world reads snapshots that it publishes.

#include "migration/changelog/changelog.hpp"
#include "migration/checksum/table_verification.hpp"
#include "migration/cutover/cutover.hpp"
#include "migration/cutover/cutover_group.hpp"
#include "migration/cutover/cutover_timing.hpp"
#include "migration/cutover/operator_hold.hpp"
#include "migration/cutover/swap_check.hpp"
#include "migration/engine/crew.hpp"
#include "migration/engine/durable_orders.hpp"
#include "migration/engine/log_server.hpp"
#include "migration/engine/migration_service.hpp"
#include "migration/engine/preparation.hpp"
#include "migration/engine/state_store.hpp"
#include "migration/engine/stream_guard.hpp"
#include "migration/ports/server_roles.hpp"
#include "migration/ports/throttle_ports.hpp"
#include "migration/reverse/applied_place.hpp"
#include "migration/throttle/throttler.hpp"
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
    throttle_ports throttles;
    std::shared_ptr<cutover_groups> groups;
    server_roles roles{};
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
    /// Of the threads, as by destruction, which then does not wait as long. Thread-safe.
    void request_stop();
    [[nodiscard]] snapshot_ptr snapshot() const;
    /// Its end is stored, or will not be: this object is of no use any more. Thread-safe.
    [[nodiscard]] bool at_rest() const { return at_rest_; }
    /// "wrong_state" when the command makes no sense now. Thread-safe.
    outcome<void> command(operator_command command);
    /// Changes options while it runs. "fixed_option" where that cannot be, "wrong_state" behind its end. Thread-safe.
    outcome<void> change(const option_changes& changes);
    /// Waits until what has been told by now would be found by the next start. Not for long: a coordinator that is in
    /// the middle of something comes to it behind that, which is logged. Thread-safe.
    void wait_until_stored();

private:
    enum class ending { completed, reverted, aborted, stopped };

    void coordinate();
    outcome<ending> proceed();
    // Whose migration it is, and on which server; migration_run_claim.cpp.
    outcome<ending> proceed_on_any_server();
    outcome<void> claim();
    outcome<void> keep_claim(unsigned wait_s = 10);
    outcome<void> require_claim(unsigned wait_s = 10);
    outcome<bool> take_claim(unsigned wait_s);
    outcome<void> require_unended();
    bool may_store();
    outcome<void> give_way(const std::string& holder);
    [[nodiscard]] std::function<outcome<void>(sql_session&)> permit();
    outcome<void> require_same_server();
    /// Nothing may be told another one that is true of the first: what is stored there is what came there by itself.
    bool is_on_its_server();
    bool is_server_of(sql_session& session) const;
    outcome<void> leave_server();
    outcome<void> wait_for_server(failure why);
    // After an interruption, and after a swap without an answer; migration_run_settle.cpp.
    outcome<std::optional<ending>> settle_interrupted();
    outcome<migration_plan> names_for_settling();
    outcome<swap_state> which_is_which(const migration_plan& names, const std::string& why,
                                       const std::vector<swap_names>& group);
    [[nodiscard]] failure swapped_by_others(const migration_plan& names) const;
    outcome<void> leave_to_others(const migration_plan& names);
    outcome<void> drop_what_was_left(const migration_plan& names);
    // Ways without a copy; migration_run_direct.cpp.
    outcome<bool> altered_by_server(const sql::alter_statement& alter);
    outcome<bool> artefacts_exist(const migration_plan& names);
    outcome<scratch_trial> try_way(const server_facts& facts, const migration_plan& names,
                                   const table_description& original, const sql::alter_statement& alter, alter_way way,
                                   const std::string& time_zone);
    outcome<direct_end> alter_in_way(alter_way way, const server_facts& facts, const sql::alter_statement& alter,
                                     const std::string& time_zone);
    outcome<direct_end> alter_original(alter_way way, const direct_request& request);
    [[nodiscard]] bool goes_at_once(alter_way way) const;
    std::string why_not_altered_yet(alter_way way, operator_hold& hold);
    /// True: the operator had to be waited for, and everything may be different by now.
    outcome<bool> wait_until_let(alter_way way);
    outcome<bool> wanted_definition_reached();
    outcome<std::optional<ending>> settle_altering();
    void pass_over(alter_way way, const std::string& reason);
    /// The names of this migration's tables, with what settle_swap() must know of the server.
    outcome<migration_plan> names_on_server();
    // Checkpoints, and going on from one; migration_run_resume.cpp.
    outcome<std::optional<ending>> settle_resumed();
    outcome<ending> take_back();
    void keep_checkpoint_of_swap();
    outcome<bool> go_on();
    void give_up_work();
    outcome<void> go_on_from(const checkpoint& from);
    outcome<void> require_taken_over(const checkpoint& from);
    outcome<void> follow_from(const checkpoint& from);
    outcome<void> begin_checkpoints(const sql::alter_statement& alter, const server_facts& facts);
    void note_checkpoint();
    outcome<std::optional<ending>> prepare_afresh();
    outcome<server_facts> check_copy(const sql::alter_statement& alter);
    outcome<void> drop_leftovers(const sql::alter_statement& alter);
    outcome<void> drop_former_old_table();
    outcome<void> begin_stream();
    // Other servers than the one that is worked on; migration_run_servers.cpp.
    [[nodiscard]] checked_role role_of_server() const;
    outcome<void> meet_log_server(const server_facts& facts);
    outcome<void> plan_log_server();
    outcome<stream_position> begin_of_log();
    outcome<void> wait_until_visible(const binlog::gtid_set& executed);
    outcome<void> see_first_marker(std::uint64_t marker);
    [[nodiscard]] std::string why_stream_is_behind();
    outcome<void> stop_replication();
    outcome<void> start_replication();
    outcome<void> swap_back();
    void tidy_trial();
    [[nodiscard]] outcome<void> check_trial() const;
    outcome<void> copy();
    outcome<void> build_indexes();
    // The comparison before the swap; migration_run_verify.cpp.
    outcome<void> prepare_verification();
    outcome<void> verify();
    /// A step of a pass while the cut-over is postponed, or while the old table is only kept current. False while rows
    /// that differ stand in the way of a cut-over.
    outcome<bool> verify_meanwhile();
    outcome<bool> verification_step();
    /// Of the direction that the work is in.
    verification_report& verification_shown();
    outcome<void> wait_and_cut_over();
    outcome<bool> good_moment(cutover_timing& timing);
    void wait_for_moment(const moment_verdict& verdict);
    void keep_report(const cutover_attempt& attempt);
    void keep_kills(cutover_timing& timing);
    [[nodiscard]] std::uint32_t next_attempt_number() const;
    watch_rules rules_of_watch();
    [[nodiscard]] bool may_attempt() const;
    outcome<void> take_attempt_back();
    outcome<cutover_end> ask_until_known(const std::optional<failure>& why);
    // What the operator tells it; migration_run_orders.cpp.
    outcome<void> command_way_back(migration_state state, operator_command command);
    [[nodiscard]] std::optional<standing_order> order_to_keep() const;
    void take_up_order();
    /// What an earlier process has left is known: an abort that was said before counts from here on.
    void note_settled();
    /// No attempt may begin, and none that has begun may swap. Thread-safe.
    [[nodiscard]] bool is_told_otherwise(bool backwards) const;
    // The way back; migration_run_reverse.cpp.
    void remember_place_before_swap();
    outcome<ending> keep_in_sync();
    outcome<ending> go_way_back();
    outcome<bool> open_way_back();
    outcome<void> free_old_table(const migration_plan& forward);
    outcome<void> follow_back(stream_position from);
    outcome<ending> follow_until_told();
    bool let_go();
    outcome<bool> revert();
    void note_applied();
    void publish_way_back();
    void leave_way_back(std::optional<failure> why);
    void tidy_reverted();
    void tidy();
    // Its end; migration_run_end.cpp.
    void conclude(outcome<ending> end);
    void store_end();
    outcome<void> store_end_once();

    /// Publishes, stores now and then, and waits; an error when the work has failed, was aborted or is to stop.
    outcome<void> tick(std::chrono::milliseconds wait);
    void enter(migration_state state);
    void wait_for(std::string what);
    bool take_changes();
    // Holding back; migration_run_throttle.cpp.
    void start_throttles();
    outcome<void> obey_throttles();
    [[nodiscard]] bool held_back() const { return paused_ || !current_.throttled_by.empty(); }
    [[nodiscard]] std::string why_held_back() const;
    void drop_or_leave_tables();
    [[nodiscard]] own_tables all_tables() const { return {true, true, current_.spec.checkpoint_table}; }
    void refresh();
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
    migration_state found_state_;  ///< of what it began with: the snapshot, or what was done on another server

    // Commands, written by other threads.
    std::atomic<bool> abort_requested_{false};
    std::atomic<bool> aborts_when_settled_{false};  ///< said before it was known what an earlier process has left
    std::atomic<bool> settled_{false};              ///< it is known; written under mutex_
    std::atomic<bool> behind_cutover_{false};       ///< the new table is live and the way back open; likewise
    std::atomic<bool> let_go_{false};               ///< the old table, for good; likewise
    std::atomic<bool> end_stored_{false};
    std::atomic<bool> at_rest_{false};
    std::atomic<bool> stop_requested_{false};
    std::atomic<bool> paused_{false};
    std::atomic<bool> postponed_{false};
    std::atomic<bool> flag_file_overruled_{false};
    std::atomic<bool> revert_requested_{false};
    std::atomic<bool> finish_requested_{false};
    std::atomic<std::uint64_t> running_statement_of_{0};  ///< connection id while a long statement may be killed
    std::atomic<std::uint64_t> claimed_by_{0};            ///< connection id that had lock_ last; for workers

    // The coordinator's own.
    migration_snapshot current_;
    std::optional<checkpoint> basis_;  ///< what is the same in all checkpoints of this run
    std::string swap_clause_;          ///< what began the way back, where that is not to be seen from the names
    std::string server_;               ///< on which it is at work
    std::string lock_;                 ///< that says whose the table is
    bool claimed_ = false;             ///< it was had, on this server
    bool was_claimed_ = false;         ///< on this server or on one that was left
    bool is_elsewhere_ = false;        ///< another process works on it, and stores its state
    bool may_go_on_ = false;           ///< an earlier process has left a checkpoint, and the ghost is there
    bool goes_on_ = false;             ///< from one
    bool unknown_prepared_ = false;    ///< see stream_reader::expect_unknown_prepared
    applied_place checkpoint_place_;
    bool checkpoint_begun_ = false;
    std::chrono::steady_clock::time_point next_checkpoint_{};
    reconnecting_session control_;
    std::optional<prepared_migration> prepared_;
    own_tables tables_made_;      ///< may exist
    bool undecided_ = false;      ///< whether the swap took place
    bool swap_possible_ = false;  ///< the ghost may bear the table's name: it must not be dropped
    std::unique_ptr<work_ledger> ledger_;
    std::unique_ptr<changelog> changelog_;
    std::unique_ptr<throttler> throttler_;             ///< from the barrier until the changelog goes
    std::unique_ptr<reconnecting_session> comparing_;  ///< null, and the next one too, where `verify` is off
    std::unique_ptr<table_verification> verification_;
    std::chrono::steady_clock::time_point next_comparison_{};
    std::chrono::steady_clock::time_point pass_began_{};
    bool held_up_by_operator_ = false;  ///< so the last look at the moment said
    std::string not_stored_because_;    ///< of what save() was to store last; empty: it is stored
    std::chrono::steady_clock::time_point next_direct_attempt_{};  ///< not before
    std::string last_direct_attempt_;                              ///< why it was given up
    std::string waited_about_;  ///< what the log was told last of why there is no cut-over
    std::unique_ptr<stream_reader> reader_;
    stream_guard stream_guard_;
    std::optional<log_server> log_server_;  ///< where the stream is of another server's log
    bool replication_stopped_ = false;
    std::unique_ptr<chunk_planner> planner_;
    applied_place applied_place_;
    group_seat group_seat_;
    std::unique_ptr<crew> crew_;  // last of these: its threads use the others
    std::chrono::steady_clock::time_point saved_{};
    std::chrono::steady_clock::time_point rate_since_{};
    std::uint64_t rate_rows_ = 0;

    mutable std::mutex mutex_;
    snapshot_ptr published_;
    std::vector<option_changes> changes_;  ///< of options, for the coordinator to take
    durable_orders orders_;
    std::condition_variable woken_;
    std::thread coordinator_;
};

}  // namespace sluice::migration

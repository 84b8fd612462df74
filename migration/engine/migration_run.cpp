#include "migration/engine/migration_run.hpp"

#include "migration/apply/server_position.hpp"
#include "migration/check/preconditions.hpp"
#include "migration/checkpoint/former_workers.hpp"
#include "migration/cutover/swap_check.hpp"
#include "migration/engine/lost_artefact.hpp"
#include "migration/relations/relation_steps.hpp"
#include "migration/sql/artefact_names.hpp"
#include "migration/sql/identifier.hpp"
#include "migration/sql/table_statements.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <exception>
#include <utility>

namespace sluice::migration {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using std::chrono::system_clock;

constexpr milliseconds tick_wait{100};
constexpr std::chrono::seconds save_interval{5};

}  // namespace

migration_run::migration_run(run_environment environment, migration_snapshot begin)
    : environment_(std::move(environment)),
      found_state_(begin.state),
      paused_(begin.paused),
      postponed_(begin.state == migration_state::queued ? begin.spec.options.postpone_cutover : begin.postponed),
      current_(std::move(begin)),
      control_(*environment_.sql, [this] { return interrupted(); }) {
    take_up_order();
    publish();
}

migration_run::~migration_run() {
    request_stop();
    if (coordinator_.joinable()) coordinator_.join();
}

void migration_run::request_stop() {
    if (stop_requested_.exchange(true)) return;
    interrupt_statement();
}

void migration_run::start() {
    coordinator_ = std::thread([this] { coordinate(); });
}

snapshot_ptr migration_run::snapshot() const {
    const std::lock_guard lock(mutex_);
    return published_;
}

void migration_run::refresh() {
    if (ledger_ && current_.way_back.open) {
        publish_way_back();
    } else if (ledger_) {
        const work_ledger::counters counters = ledger_->count();
        current_.rows_copied = counters.rows_copied;
        current_.deltas_seen = counters.deltas_seen;
        current_.deltas_applied = counters.deltas_applied;
        current_.deltas_dropped = counters.deltas_dropped;
        current_.backlog_keys = counters.backlog_keys;
        current_.chunk_retries = counters.chunk_retries;
        current_.last_chunk_error = counters.last_chunk_error;
        current_.stream_position =
            counters.position.executed ? counters.position.executed->to_string() : counters.position.at.to_string();
        current_.stream_file = counters.position.at.to_string();
        if (counters.heartbeat) {
            current_.heartbeat_lag =
                std::chrono::duration_cast<milliseconds>(system_clock::now() - *counters.heartbeat);
        }
        if (planner_) current_.chunk_rows = planner_->chunk_rows();
    }
    const auto now = steady_clock::now();
    if (const auto passed = now - rate_since_; passed >= std::chrono::seconds(1)) {
        const double seconds = std::chrono::duration<double>(passed).count();
        current_.rows_per_s = static_cast<std::uint64_t>(
            static_cast<double>(current_.rows_copied - std::min(rate_rows_, current_.rows_copied)) / seconds);
        rate_since_ = now;
        rate_rows_ = current_.rows_copied;
    }
    const bool copied = current_.state > migration_state::copying && current_.state <= migration_state::reverted;
    if (copied) {
        current_.progress = 1.0;
        current_.eta.reset();
    } else if (current_.rows_estimate != 0) {
        // The estimate is the server's guess: never claim the end before it is there.
        current_.progress =
            std::min(0.99, static_cast<double>(current_.rows_copied) / static_cast<double>(current_.rows_estimate));
        if (current_.rows_per_s != 0) {
            const auto left = current_.rows_estimate - std::min(current_.rows_copied, current_.rows_estimate);
            current_.eta = std::chrono::seconds(left / current_.rows_per_s);
        }
    }
    current_.paused = paused_;
    current_.postponed = postponed_;
    current_.ordered = order_to_keep();
}

void migration_run::publish() {
    refresh();
    auto fresh = std::make_shared<migration_snapshot>(current_);
    const std::lock_guard lock(mutex_);
    // What was just changed, see change(), stays shown until it is taken.
    for (const option_changes& changes : changes_) changes.apply_to(fresh->spec.options);
    published_ = std::move(fresh);
}

void migration_run::save() {
    saved_ = steady_clock::now();
    not_stored_because_ = "the migration, or its table, may be another process's by now";
    if (!environment_.store.keeps() || is_elsewhere_ || !is_on_its_server() || !may_store()) return;
    auto stored = environment_.store.save(control_, current_);
    // A connection that was lost is back: what a restart goes by should not be missed for that.
    if (!stored && stored.error().then == disposition::retry) {
        if (!is_on_its_server() || !may_store()) return;
        stored = environment_.store.save(control_, current_);
    }
    not_stored_because_ = stored ? std::string() : stored.error().message;
    if (stored) {
        orders_.stored();
        end_stored_ = is_final(current_.state);
    } else {
        spdlog::warn("migration {}: its state could not be stored: {}", current_.id, stored.error().message);
    }
}

outcome<query_result> migration_run::run_control(std::string_view sql) {
    constexpr int attempts_max = 10;
    for (int attempt = 1;; ++attempt) {
        auto ran = control_.run(sql);
        if (ran || ran.error().then != disposition::retry || attempt == attempts_max || interrupted()) return ran;
        std::unique_lock lock(mutex_);
        woken_.wait_for(lock, tick_wait * attempt);
    }
}

void migration_run::enter(migration_state state) {
    current_.state = state;
    current_.changed = system_clock::now();
    current_.waiting_for.clear();
    if (is_final(state)) current_.ended = current_.changed;
    refresh();
    // What has succeeded is shown when it is stored: nobody who has seen it meets a process that takes it up again. A
    // failure is shown at once; its reason may be that nothing can be stored.
    const bool is_success = state == migration_state::completed || state == migration_state::reverted;
    if (is_success) save();
    publish();
    if (!is_success) save();
    spdlog::info("migration {} of {}: {}", current_.id, quote_table(current_.spec.table), to_string(state));
}

void migration_run::wait_for(std::string what) {
    if (what == current_.waiting_for) return;
    current_.waiting_for = std::move(what);
    if (!current_.waiting_for.empty()) spdlog::info("migration {}: waiting: {}", current_.id, current_.waiting_for);
}

outcome<void> migration_run::tick(milliseconds wait) {
    // What the operator has said must outlive this process.
    const bool told = orders_.take();
    const bool changed = take_changes() || current_.paused != paused_ || current_.postponed != postponed_;
    publish();
    if (told || changed || steady_clock::now() - saved_ >= save_interval) save();
    {
        std::unique_lock lock(mutex_);
        woken_.wait_for(lock, wait);
    }
    if (interrupted()) return interruption();
    SLUICE_TRY_VOID(keep_claim());
    if (ledger_) {
        SLUICE_TRY_VOID(obey_throttles());
        if (auto why = ledger_->first_failure()) return std::move(*why);
        if (reader_ && prepared_ && stream_guard_.due(steady_clock::now())) {
            SLUICE_TRY_VOID(require_same_server());
            const auto position = read_server_position(control_, prepared_->plan);
            if (position) SLUICE_TRY_VOID(stream_guard_.told(*position, steady_clock::now()));
            if (!position && position.error().then == disposition::abort) return position.error();
        }
        if (reader_ && prepared_ && log_server_) {
            SLUICE_TRY_VOID(log_server_->look(current_.spec, prepared_->plan, steady_clock::now()));
        }
        note_checkpoint();
    }
    return {};
}

void migration_run::coordinate() {
    outcome<ending> end = ending::stopped;
    try {
        end = proceed_on_any_server();
    } catch (const std::exception& error) {
        end = refuse("internal_error", std::string("the engine stopped itself: ") + error.what());
    }
    conclude(std::move(end));
    if (is_final(current_.state)) store_end();
    orders_.close();
    control_.close();  // the table is free for others
    at_rest_ = true;
}

outcome<migration_run::ending> migration_run::proceed() {
    SLUICE_TRY_VOID(control_.connect());
    SLUICE_TRY_VOID(claim());
    SLUICE_TRY(const auto settled, settle_interrupted());
    if (settled) return *settled;
    if (const migration_options& options = current_.spec.options; !options.cutover_group.empty()) {
        group_seat_.join(environment_.groups->find(options.cutover_group, options.cutover_group_size), current_.id,
                         current_.spec.table);
    }
    note_settled();
    if (interrupted()) {
        if (may_go_on_) tables_made_ = all_tables();  // after an abort they go, as if this process had made them
        return interruption();
    }

    if (may_go_on_) {
        SLUICE_TRY(goes_on_, go_on());
    }
    if (!goes_on_) {
        SLUICE_TRY(const auto altered, prepare_afresh());
        if (altered) return *altered;
    }
    SLUICE_TRY_VOID(prepare_verification());
    SLUICE_TRY_VOID(copy());
    SLUICE_TRY_VOID(build_indexes());
    SLUICE_TRY_VOID(verify());
    SLUICE_TRY_VOID(wait_and_cut_over());
    if (environment_.roles.replication) {
        SLUICE_TRY_VOID(swap_back());
        tidy_trial();
        return ending::completed;
    }
    if (current_.spec.options.keep_old_table_in_sync) return keep_in_sync();
    tidy();
    return ending::completed;
}

outcome<std::optional<migration_run::ending>> migration_run::prepare_afresh() {
    enter(migration_state::checking);
    SLUICE_TRY(const sql::alter_statement alter, parse_alter_of(current_.spec));
    if (current_.spec.options.drop_leftovers) SLUICE_TRY_VOID(drop_leftovers(alter));
    SLUICE_TRY(const bool altered, altered_by_server(alter));
    if (altered) {
        // Nothing makes a failure of that any more.
        if (auto dropped = drop_former_old_table(); !dropped) {
            spdlog::warn("migration {}: the old table of an earlier run is left: {}", current_.id,
                         dropped.error().message);
        }
        return std::optional(ending::completed);
    }
    if (current_.state != migration_state::checking) enter(migration_state::checking);
    SLUICE_TRY(const server_facts facts, check_copy(alter));
    if (interrupted()) return interruption();

    current_.way = alter_way::copy;
    enter(migration_state::preparing);
    SLUICE_TRY(prepared_, prepare_tables(control_, current_.spec, alter, facts, tables_made_));
    SLUICE_TRY_VOID(check_trial());
    SLUICE_TRY_VOID(drop_former_old_table());
    current_.unique_key = describe(prepared_->plan.mapping.key);
    current_.rows_estimate = prepared_->plan.original_description.rows_estimate;
    SLUICE_TRY_VOID(begin_stream());
    SLUICE_TRY_VOID(begin_checkpoints(alter, facts));
    return std::optional<ending>();
}

outcome<server_facts> migration_run::check_copy(const sql::alter_statement& alter) {
    checked_role role = role_of_server();
    role.drops_leftovers = current_.spec.options.drop_leftovers;
    SLUICE_TRY(server_facts facts, run_checks(control_, current_.spec, alter, role));
    SLUICE_TRY_VOID(meet_log_server(facts));
    return facts;
}

// Of an earlier run. Nothing goes for one that is refused; the checkpoints of that run only when there are new ones.
outcome<void> migration_run::drop_leftovers(const sql::alter_statement& alter) {
    SLUICE_TRY(const migration_plan names, names_on_server());
    SLUICE_TRY_VOID(require_claim());
    // The table itself may be without its name there.
    if (!names.rename_under_lock) (void)settle_swap(runner(), names).has_error();
    const auto checked = check_copy(alter);
    if (!checked && checked.error().then != disposition::abort) return checked.error();
    if (!checked) return {};  // a server that alters the table by itself may take it all the same
    const auto left = drop_artefacts(*environment_.sql, names, {.ghost = true, .changelog = true});
    if (left.empty()) return {};
    return refuse("leftover_tables", "what an earlier run has left could not be dropped: " + left.front());
}

// It may be all that is left of the rows before an earlier migration: the server has taken the ALTER by now.
outcome<void> migration_run::drop_former_old_table() {
    if (!current_.spec.drop_former_old_table) return {};
    const table_name& table = current_.spec.table;
    const table_name old{table.schema,
                         artefact_names_of(table.table, current_.spec.options.tables_named_after).old_table};
    SLUICE_TRY_VOID(require_claim());
    spdlog::info("Dropping table {}", quote_table(old));
    SLUICE_TRY_VOID(run_control(drop_table_statement(old)));
    return {};
}

outcome<void> migration_run::begin_stream() {
    SLUICE_TRY_VOID(plan_log_server());
    const migration_plan& plan = prepared_->plan;
    changelog_ = std::make_unique<changelog>(plan.changelog, plan.markers);
    SLUICE_TRY_VOID(changelog_->write_state(runner(), "GhostTableMigrated"));
    SLUICE_TRY(stream_position begin, begin_of_log());
    ledger_ = std::make_unique<work_ledger>(work_ledger_options{
        plan.options.delta_keys_max, plan.mapping.key.bytes_are_identity, plan.options.delta_bytes_max});
    reader_ = std::make_unique<stream_reader>(plan, *ledger_, *environment_.feeds, std::move(begin));
    SLUICE_TRY_VOID(reader_->attach());
    SLUICE_TRY(const bool none_prepared, wait_for_prepared_transactions(control_, [&](const std::string& names) {
                   wait_for("prepared XA transactions (XA COMMIT or XA ROLLBACK them): " + names);
                   return tick(tick_wait);
               }));
    if (!none_prepared) reader_->expect_unknown_prepared();
    unknown_prepared_ = !none_prepared;
    wait_for("");
    crew_ = std::make_unique<crew>(plan, *ledger_, *environment_.sql, permit());
    crew_->start_reader(*reader_);
    SLUICE_TRY(const std::uint64_t marker, changelog_->write_marker(runner()));
    return see_first_marker(marker);
}

outcome<void> migration_run::copy() {
    const migration_plan& plan = prepared_->plan;
    planner_ = std::make_unique<chunk_planner>(plan, *ledger_);
    if (!goes_on_) {
        SLUICE_TRY_VOID(planner_->read_range(control_));
        SLUICE_TRY_VOID(changelog_->write_state(runner(), "ReadMigrationRangeValues"));
    }
    enter(migration_state::copying);
    const auto began = steady_clock::now();
    start_throttles();
    SLUICE_TRY_VOID(obey_throttles());
    if (!goes_on_) crew_->start_apply();
    crew_->start_copy(*planner_);
    while (!ledger_->all_copied()) {
        wait_for(why_held_back());
        SLUICE_TRY_VOID(tick(tick_wait));
    }
    // A worker that was told to pause would wait for ever now: nobody listens to commands until it has ended.
    ledger_->pause_copy(false);
    crew_->join_copy();
    current_.copy_took = std::chrono::duration_cast<milliseconds>(steady_clock::now() - began);
    return {};
}

outcome<void> migration_run::build_indexes() {
    const migration_plan& plan = prepared_->plan;
    std::vector<deferred_index> missing = prepared_->deferred;
    if (!missing.empty()) enter(migration_state::indexing);
    // Not the control connection: if this process is killed the statement goes on for hours, and must be found by the
    // next process, which first has to claim the migration.
    reconnecting_session building(*environment_.sql, [this] { return interrupted(); });
    building.live_under(life_lock_of(plan.run, 'i', 0), [this](sql_session&) { return require_claim(); });
    while (!missing.empty()) {
        // One statement for all of them, or each would read the table once more. Changes are applied meanwhile.
        SLUICE_TRY_VOID(building.connect());
        running_statement_of_ = building.connection_id();
        auto built = interrupted() ? interruption() : building.run(add_indexes_statement(plan.ghost, missing));
        running_statement_of_ = 0;
        if (interrupted()) return interruption();
        if (built) break;
        if (built.error().then != disposition::retry) return std::move(built).error();
        // The connection was lost: the server may have finished, or may not have begun.
        SLUICE_TRY(const table_description ghost, describe_table(control_, plan.ghost));
        std::erase_if(missing, [&ghost](const deferred_index& index) {
            return std::any_of(ghost.keys.begin(), ghost.keys.end(),
                               [&index](const key_description& key) { return key.name == index.name; });
        });
        SLUICE_TRY_VOID(tick(tick_wait));
    }
    // Fresh statistics, or the first queries after the swap run with bad plans.
    SLUICE_TRY_VOID(run_control(analyze_table_statement(plan.ghost)));
    return {};
}

// The table has its new shape: nothing here may turn that into a failure. What stays behind is named.
void migration_run::tidy() {
    const migration_plan& plan = prepared_->plan;
    enter(migration_state::tidying);
    const std::string not_noted_because = not_stored_because_;
    throttler_.reset();
    current_.leftovers.clear();
    // The old table gets the name that people know; the rest of this goes on without, and names what is there.
    if (auto settled = settle_swap(runner(), plan); !settled) {
        spdlog::warn("migration {}: {} could not be renamed to {}: {}", current_.id, quote_table(plan.swap_old),
                     quote_table(plan.old_table), settled.error().message);
        current_.leftovers.push_back(quote_table(plan.swap_old));
    }
    // Mostly done in the cut-over already; needed where a connection or the process was lost behind the swap.
    if (auto released = release_old_table(control_, plan, false); !released) {
        spdlog::warn("migration {}: foreign keys of {} could not be dropped: {}", current_.id,
                     quote_table(plan.old_table), released.error().message);
    }
    const auto drop = [this](const table_name& table) {
        const auto dropped = run_control(drop_table_statement(table));
        if (dropped) return;
        spdlog::warn("migration {}: {} could not be dropped: {}", current_.id, quote_table(table),
                     dropped.error().message);
        current_.leftovers.push_back(quote_table(table));
    };
    if (current_.spec.checkpoint_table && !plan.options.drop_old_table) keep_checkpoint_of_swap();
    drop(plan.changelog);
    // To a process that finds an earlier state, a table that is gone looks like a swap that never was.
    const bool is_known = !environment_.store.keeps() || not_noted_because.empty();
    if (plan.options.drop_old_table && !is_known) {
        spdlog::warn("migration {}: {} is left, since it could not be stored that the tables were swapped: {}",
                     current_.id, quote_table(plan.old_table), not_noted_because);
    }
    if (plan.options.drop_old_table && is_known) {
        drop(plan.old_table);
        if (current_.spec.checkpoint_table) drop(plan.checkpoints);
    } else {
        current_.leftovers.push_back(quote_table(plan.old_table));
    }
}

}  // namespace sluice::migration

// The way back: after the swap the old table follows the new one, until the operator reverts or lets it go. Nothing
// here may harm the new table, which is live: whatever fails ends the way back, and the migration is completed without.

#include "migration/check/preconditions.hpp"
#include "migration/cutover/swap_check.hpp"
#include "migration/engine/lost_artefact.hpp"
#include "migration/engine/migration_run.hpp"
#include "migration/relations/relation_steps.hpp"
#include "migration/reverse/reverse_plan.hpp"
#include "migration/sql/identifier.hpp"
#include "migration/sql/table_statements.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <exception>
#include <string>
#include <utility>

namespace sluice::migration {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using std::chrono::system_clock;

constexpr milliseconds follow_wait{50};
constexpr std::chrono::seconds retry_wait{1};

}  // namespace

// The way back begins at a place that is stored before the swap: behind it, a process that is killed could not tell any
// more. What lies between the two is another table's, see change_capture::expect_swap().
void migration_run::remember_place_before_swap() {
    if (!current_.spec.options.keep_old_table_in_sync && !current_.spec.checkpoint_table) return;
    current_.way_back.resume_from = place_to_text(ledger_->count().position);
    current_.way_back.resume_is_after_swap = false;
    current_.way_back.former_trigger_names = former_trigger_names(prepared_->plan.relations);
}

void migration_run::publish_way_back() {
    const work_ledger::counters counters = ledger_->count();
    current_.way_back.changes_seen = counters.deltas_seen;
    current_.way_back.keys_applied = counters.deltas_applied;
    current_.way_back.backlog_keys = counters.backlog_keys;
    current_.backlog_keys = counters.backlog_keys;
    current_.stream_file = counters.position.at.to_string();
    if (current_.spec.kind == run_kind::take_back) current_.deltas_applied = counters.deltas_applied;
    current_.stream_position = place_to_text(counters.position);
}

outcome<migration_run::ending> migration_run::keep_in_sync() {
    // From here on the tables belong to the operator: no failure may drop one of them.
    tables_made_ = {};
    swap_possible_ = true;
    const bool is_all_there_is = current_.spec.kind == run_kind::take_back;
    if (!is_all_there_is) {
        // What was said of the copy and its cut-over came too late, and has no meaning for the way back.
        const std::lock_guard lock(mutex_);
        behind_cutover_ = true;
        abort_requested_ = aborts_when_settled_ = false;
        postponed_ = paused_ = false;
    }
    outcome<ending> end = ending::stopped;
    try {
        end = go_way_back();
    } catch (const std::exception& error) {
        end = refuse("internal_error", std::string("the engine stopped itself: ") + error.what());
    }
    if (crew_) crew_->join_all();
    verification_.reset();
    comparing_.reset();
    if (stop_requested_ && (!end || *end == ending::stopped)) return interruption();
    if (!end) {
        failure why = std::move(end).error();
        if (prepared_) why = name_lost_artefact(std::move(why), prepared_->plan);
        if (is_all_there_is || why.code == "server_changed" || is_elsewhere_) return why;
        leave_way_back(std::move(why));
        return ending::completed;
    }
    if (*end == ending::reverted) {
        tidy_reverted();
    } else {
        leave_way_back(std::nullopt);
    }
    return end;
}

outcome<migration_run::ending> migration_run::go_way_back() {
    while (true) {
        auto opened = open_way_back();
        if (opened && !*opened) return ending::reverted;
        failure why;
        if (opened) {
            auto end = follow_until_told();
            if (end || interrupted()) return end;
            why = std::move(end).error();
            // What another server's log or tables lack may have been noticed first.
            SLUICE_TRY_VOID(require_same_server());
        } else {
            why = std::move(opened).error();
        }
        if (why.then == disposition::abort && !is_server_away(why)) return why;
        if (crew_) crew_->join_all();
        wait_for("the server, to go on with the old table: " + why.message);
        publish();
        std::unique_lock lock(mutex_);
        woken_.wait_for(lock, retry_wait);
        lock.unlock();
        if (interrupted()) return interruption();
    }
}

// False: there is nothing to follow any more, the revert has taken place.
outcome<bool> migration_run::open_way_back() {
    SLUICE_TRY_VOID(control_.connect());
    SLUICE_TRY(const migration_plan forward, names_on_server());
    const migration_plan names = names_of_way_back(forward);
    SLUICE_TRY_VOID(keep_claim());
    // A revert's rename that a killed process has sent may still be at work: until it is known what became of it
    // nothing else may be done.
    SLUICE_TRY(const swap_state state, current_.state == migration_state::reverting
                                           ? which_is_which(names, "the revert was interrupted", {})
                                           : settle_swap(runner(), names));
    if (state == swap_state::neither) {
        return refuse("old_table_lost", "the old table " + quote_table(names.ghost) + " is gone");
    }
    if (crew_) crew_->join_all();
    crew_.reset();
    reader_.reset();
    verification_.reset();
    comparing_.reset();
    planner_.reset();
    if (state == swap_state::swapped) {
        prepared_ = prepared_migration{names, {}};
        return false;
    }
    SLUICE_TRY_VOID(free_old_table(forward));
    SLUICE_TRY(migration_plan plan, prepare_way_back(control_, current_.spec, current_.way_back.former_trigger_names));
    if (current_.spec.kind != run_kind::take_back) revert_when_told(plan.options);
    prepared_ = prepared_migration{std::move(plan), {}};
    SLUICE_TRY_VOID(plan_log_server());
    auto from = place_from_text(current_.way_back.resume_from, prepared_->plan.follow_by_gtid);
    if (!from) {
        return refuse("way_back_place_unknown",
                      "the place in the binary log from which the old table would have to be "
                      "brought up to date was not stored");
    }
    SLUICE_TRY_VOID(follow_back(*std::move(from)));
    return true;
}

// Its triggers would act once more on what is carried into it, and foreign keys would hold up or change what is the new
// table's. Also after a killed process: what it had made of the old table for a revert goes again.
outcome<void> migration_run::free_old_table(const migration_plan& forward) {
    SLUICE_TRY_VOID(release_old_table(control_, forward, false));
    return drop_ghost_triggers(control_, forward.old_table);
}

outcome<void> migration_run::follow_back(stream_position from) {
    const migration_plan& plan = prepared_->plan;
    ledger_ = std::make_unique<work_ledger>(work_ledger_options{
        plan.options.delta_keys_max, plan.mapping.key.bytes_are_identity && plan.columns.kept.empty(),
        plan.options.delta_bytes_max});
    ledger_->set_frontier(copy_frontier(std::nullopt, plan.mapping.key.exactly_ordered));
    if (!changelog_) {
        changelog_ = std::make_unique<changelog>(plan.changelog, plan.markers);
        SLUICE_TRY_VOID(changelog_->continue_after_last(runner()));
    }
    stream_guard_ = {};
    applied_place_ = {};
    reader_ = std::make_unique<stream_reader>(plan, *ledger_, *environment_.feeds, std::move(from));
    if (!current_.way_back.resume_is_after_swap) {
        const std::string clause = swap_clause_.empty() ? clause_of_swap(names_of_way_back(plan)) : swap_clause_;
        reader_->expect_swap(clause, changelog_->last_marker());
    }
    SLUICE_TRY_VOID(reader_->attach());
    crew_ = std::make_unique<crew>(plan, *ledger_, *environment_.sql, permit());
    crew_->start_reader(*reader_);
    crew_->start_apply();
    // Coming back before the swap has been seen, it would tell that the stream is not what it is taken for.
    SLUICE_TRY_VOID(changelog_->write_marker(runner()));
    // Behind the migration's own cut-over they go on; an earlier process has taken them with it.
    if (!throttler_) start_throttles();
    current_.way_back.open = true;
    current_.way_back.unique_key = describe(plan.mapping.key);
    if (!current_.way_back.since) current_.way_back.since = system_clock::now();
    current_.way_back.verification = {};
    next_comparison_ = {};
    SLUICE_TRY_VOID(prepare_verification());
    enter(migration_state::in_sync);
    spdlog::info("migration {}: {} follows {} by {}; `revert` gives it its name back, `finish` lets it go", current_.id,
                 quote_table(plan.ghost), quote_table(plan.original), current_.way_back.unique_key);
    return {};
}

void migration_run::note_applied() {
    if (!reader_->swap_seen()) return;
    const auto place = applied_place_.look(*ledger_);
    if (!place) return;
    current_.way_back.resume_from = place_to_text(*place);
    current_.way_back.resume_is_after_swap = true;
}

outcome<migration_run::ending> migration_run::follow_until_told() {
    while (true) {
        SLUICE_TRY_VOID(tick(follow_wait));
        note_applied();
        const std::chrono::seconds limit(current_.spec.options.keep_in_sync_max_s);  // may be changed at any time
        if (finish_requested_ && let_go()) return ending::completed;
        if (revert_requested_) {
            SLUICE_TRY(const bool reverted, revert());
            if (reverted) return ending::reverted;
        } else if (limit.count() != 0 && system_clock::now() - *current_.way_back.since > limit) {
            if (!let_go()) continue;
            spdlog::info("migration {}: keep_in_sync_max_s is over, the old table is let go", current_.id);
            return ending::completed;
        } else if (reader_->swap_seen()) {
            SLUICE_TRY_VOID(verify_meanwhile());
        }
    }
}

// False: a revert was said first.
bool migration_run::let_go() {
    const std::lock_guard lock(mutex_);
    if (!revert_requested_) let_go_ = true;
    return let_go_;
}

// False: called off, or given up without harm; the old table goes on following.
outcome<bool> migration_run::revert() {
    outcome<void> done;
    if (verification_ && verification_->report().passes == 0) {
        enter(migration_state::reverting);
        done = verify();
    }
    if (done) done = wait_and_cut_over();
    if (done) return true;
    if (interrupted()) return interruption();  // the next process goes on with it
    revert_requested_ = false;
    if (auto lost = ledger_->first_failure()) return std::move(*lost);
    failure why = std::move(done).error();
    // What is not the same after all repairs must not take the name, at no later attempt either.
    if (why.code == "original_changed" || why.code == "verification_failed") return why;
    if (why.code == "server_changed" || is_elsewhere_) return why;
    if (why.then == disposition::outcome_unknown || current_.spec.kind == run_kind::take_back) return why;
    enter(migration_state::in_sync);
    if (why.code != "revert_called_off") {
        spdlog::warn("migration {}: the revert was given up ({}): {}", current_.id, why.code, why.message);
        current_.waiting_for = "a command; the revert was given up: " + why.message;
    }
    return false;
}

void migration_run::leave_way_back(std::optional<failure> why) {
    const bool lost = why.has_value();
    {
        const std::lock_guard lock(mutex_);
        let_go_ = true;
    }
    if (lost) {
        spdlog::error("migration {}: the old table is not kept in sync any more, `revert` is not possible ({}): {}",
                      current_.id, why->code, why->message);
    }
    current_.way_back.open = false;
    current_.way_back.ended_by = std::move(why);
    migration_plan forward = plan_names(current_.spec);
    // What it still has may be all there is of dropped columns.
    if (lost) forward.options.drop_old_table = false;
    if (const auto names = names_on_server()) {
        forward.rename_under_lock = names->rename_under_lock;
        forward.lower_case_table_names = names->lower_case_table_names;
    }
    prepared_ = prepared_migration{std::move(forward), {}};
    tidy();
}

// The state stays `reverting` until all is done: to a later process the names of the tables alone would look like those
// of a migration before its cut-over.
void migration_run::tidy_reverted() {
    const migration_plan& plan = prepared_->plan;
    throttler_.reset();
    current_.way_back.open = false;
    current_.leftovers.clear();
    const auto name = [this](const table_name& table) { current_.leftovers.push_back(quote_table(table)); };
    if (auto settled = settle_swap(runner(), plan); !settled) {
        spdlog::warn("migration {}: {} could not be renamed to {}: {}", current_.id, quote_table(plan.swap_old),
                     quote_table(plan.old_table), settled.error().message);
        name(plan.swap_old);
    }
    // As in tidy(): done already, unless something was lost behind the swap.
    if (auto released = release_old_table(control_, plan, false); !released) {
        spdlog::warn("migration {}: foreign keys of {} could not be dropped: {}", current_.id,
                     quote_table(plan.old_table), released.error().message);
    }
    if (auto dropped = run_control(drop_table_statement(plan.changelog)); !dropped) name(plan.changelog);
    if (current_.spec.kind == run_kind::take_back && plan.options.drop_old_table) {
        for (const table_name& table : {plan.old_table, plan.checkpoints}) {
            if (!run_control(drop_table_statement(table))) name(table);
        }
        return;
    }
    // The only place of what the columns that the ALTER had added hold: never dropped.
    name(plan.old_table);
}

}  // namespace sluice::migration

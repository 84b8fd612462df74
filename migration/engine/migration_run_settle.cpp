// What becomes of a migration that an earlier process has left, and of a swap of which the server did not tell the end.

#include "migration/check/checks.hpp"
#include "migration/check/preconditions.hpp"
#include "migration/cutover/swap_check.hpp"
#include "migration/engine/migration_run.hpp"
#include "migration/sql/identifier.hpp"

#include <spdlog/spdlog.h>

#include <chrono>
#include <string>
#include <utility>

namespace sluice::migration {
namespace {

constexpr std::chrono::minutes drop_patience{10};
constexpr std::chrono::seconds settle_retry{1};

}  // namespace

outcome<migration_plan> migration_run::names_on_server() {
    migration_plan names = plan_names(current_.spec);
    SLUICE_TRY(const server_facts facts, check_server(control_));
    names.rename_under_lock = facts.family->rename_under_lock();
    names.lower_case_table_names = facts.lower_case_table_names;
    return names;
}

// Of a migration whose swap may have taken place: no lost connection may make a failure of that.
outcome<migration_plan> migration_run::names_for_settling() {
    while (true) {
        auto names = names_on_server();
        undecided_ = names.has_error();
        const bool comes_later =
            !names && (names.error().then != disposition::abort || is_server_away(names.error())) && !stop_requested_;
        if (!comes_later) return names;
        wait_for("the server, to say whether the swap took place: " + names.error().message);
        publish();
        std::unique_lock lock(mutex_);
        woken_.wait_for(lock, settle_retry);
    }
}

outcome<std::optional<migration_run::ending>> migration_run::settle_interrupted() {
    std::optional<ending> settled;
    if (found_state_ == migration_state::queued) {
        if (current_.spec.kind == run_kind::resume) return settle_resumed();
        if (current_.spec.kind == run_kind::take_back) {
            SLUICE_TRY(settled, take_back());
        }
        return settled;
    }
    // Before `preparing` nothing of ours was made, and a table by the old table's name is somebody else's.
    if (found_state_ <= migration_state::altering) return settle_altering();
    if (found_state_ == migration_state::in_sync || found_state_ == migration_state::reverting) {
        SLUICE_TRY(settled, keep_in_sync());
        return settled;
    }
    SLUICE_TRY(const migration_plan names, names_for_settling());
    SLUICE_TRY(const swap_state state, which_is_which(names, "the interrupted run did not say", current_.swap_group));
    // No attempt begins before it is stored that one may, see may_attempt().
    if (state == swap_state::swapped && found_state_ < migration_state::cutting_over) return swapped_by_others(names);
    if (found_state_ == migration_state::tidying && state == swap_state::not_swapped) {
        SLUICE_TRY_VOID(leave_to_others(names));
        return std::optional(ending::completed);
    }
    if (state == swap_state::swapped && current_.spec.options.keep_old_table_in_sync &&
        found_state_ != migration_state::tidying) {
        SLUICE_TRY(settled, keep_in_sync());
        return settled;
    }
    // Tidying begins only behind a swap: whoever was interrupted there may have dropped the old table already.
    if (state == swap_state::swapped || (state == swap_state::neither && found_state_ == migration_state::tidying)) {
        spdlog::info("migration {}: its cut-over had taken place before the interruption", current_.id);
        migration_plan tidied = names;
        if (current_.way_back.ended_by) tidied.options.drop_old_table = false;  // as in leave_way_back()
        prepared_ = prepared_migration{std::move(tidied), {}};
        tidy();
        return std::optional(ending::completed);
    }
    if (state == swap_state::not_swapped && !current_.checkpoint.empty()) {
        may_go_on_ = true;
        return settled;
    }
    spdlog::warn("migration {}: an earlier process was interrupted while {}; {} and {} are dropped and it begins again",
                 current_.id, to_string(found_state_), quote_table(names.ghost), quote_table(names.changelog));
    SLUICE_TRY_VOID(drop_what_was_left(names));
    current_.rows_copied = 0;
    current_.deltas_applied = 0;
    current_.checkpoint.clear();
    return settled;
}

failure migration_run::swapped_by_others(const migration_plan& names) const {
    return refuse("swapped_by_others",
                  "an earlier process was interrupted while " + std::string(to_string(found_state_)) +
                      ", before it could cut over; now there is no " + quote_table(names.ghost) + ", but a " +
                      quote_table(names.old_table) +
                      ": somebody else has been at work on the table. Nothing is dropped; look at what is there, and "
                      "start the migration again");
}

// The cut-over was done, and nothing of this migration bears the ghost's name since. So whoever made what does is at
// work now, and the changelog may be theirs as well.
outcome<void> migration_run::leave_to_others(const migration_plan& names) {
    current_.leftovers.clear();
    for (const table_name& table : {names.changelog, names.old_table}) {
        SLUICE_TRY(const query_result found,
                   run_control("SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = " +
                               quote_string(table.schema) + " AND TABLE_NAME = " + quote_string(table.table)));
        if (!found.rows.empty()) current_.leftovers.push_back(quote_table(table));
    }
    spdlog::warn(
        "migration {}: it had cut over before the interruption, and somebody has made {} since; nothing is dropped",
        current_.id, quote_table(names.ghost));
    return {};
}

// A backup, or a session of the killed process that is still at work, may hold the tables for a while.
outcome<void> migration_run::drop_what_was_left(const migration_plan& names) {
    const auto until = std::chrono::steady_clock::now() + drop_patience;
    tables_made_ = all_tables();
    while (true) {
        SLUICE_TRY_VOID(require_claim());
        const auto left = drop_artefacts(*environment_.sql, names, tables_made_);
        if (left.empty()) {
            tables_made_ = {};
            return {};
        }
        const std::string what = "what the interrupted run left could not be dropped: " + left.front();
        if (std::chrono::steady_clock::now() > until) return refuse("leftover_tables", what);
        wait_for(what);
        SLUICE_TRY_VOID(tick(std::chrono::seconds(1)));
    }
}

// Nothing else may be done before the server has said it; not even an abort may end this wait: dropping the ghost could
// drop the table.
outcome<swap_state> migration_run::which_is_which(const migration_plan& names, const std::string& why,
                                                  const std::vector<swap_names>& group) {
    while (true) {
        outcome<swap_state> state = swap_state::neither;
        if (auto claimed = keep_claim(); !claimed) state = std::move(claimed).error();
        if (state) state = settle_swap(runner(), names, real_clock(), group);
        undecided_ = state.has_error();
        if (is_elsewhere_) return state;
        if (state && !control_.has_lock()) continue;  // another process may have begun to act by what is there
        if (state || stop_requested_) return state;
        wait_for("the server, to say whether the swap took place: " + why + "; " + state.error().message);
        publish();
        std::unique_lock lock(mutex_);
        woken_.wait_for(lock, settle_retry);
    }
}

}  // namespace sluice::migration

// The part of a migration in which the server is asked to alter the table by itself: INSTANT, then INPLACE where that
// changes metadata only.

#include "migration/check/checks.hpp"
#include "migration/check/conversion_settings.hpp"
#include "migration/engine/migration_run.hpp"
#include "migration/family/lock_holders.hpp"
#include "migration/relations/joined_gate.hpp"
#include "migration/sql/create_statement.hpp"
#include "migration/sql/identifier.hpp"
#include "migration/sql/table_statements.hpp"
#include "migration/ways/direct_alter.hpp"
#include "migration/ways/scratch_trial.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <utility>

namespace sluice::migration {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds poll{50};
constexpr int attempts_max = 5;
constexpr int trials_max = 3;

}  // namespace

outcome<bool> migration_run::artefacts_exist(const migration_plan& names) {
    SLUICE_TRY(const query_result found,
               run_control("SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = " +
                           quote_string(names.ghost.schema) + " AND TABLE_NAME IN (" + quote_string(names.ghost.table) +
                           ", " + quote_string(names.changelog.table) + ") LIMIT 1"));
    return !found.rows.empty();
}

outcome<bool> migration_run::altered_by_server(const sql::alter_statement& alter) {
    // An interrupted run may have looked already.
    current_.way.reset();
    current_.passed_over.clear();
    const migration_options& options = current_.spec.options;
    if (!options.attempt_instant && !options.attempt_inplace) return false;
    if (options.keep_old_table_in_sync) {
        const std::string reason = "keep_old_table_in_sync needs an old table, which only a copy leaves";
        if (options.attempt_instant) pass_over(alter_way::instant, reason);
        if (options.attempt_inplace) pass_over(alter_way::inplace, reason);
        return false;
    }
    SLUICE_TRY(const server_facts facts, run_direct_checks(control_, current_.spec, alter, role_of_server()));
    const migration_plan names = plan_names(current_.spec);
    SLUICE_TRY(const auto settings, read_conversion_settings(control_, *facts.family, options.time_zone));
    SLUICE_TRY(const bool leftovers, artefacts_exist(names));
    if (leftovers) return false;  // the checks that follow refuse them, naming each

    enter(migration_state::altering);
    for (const alter_way way : {alter_way::instant, alter_way::inplace}) {
        if (way == alter_way::instant ? !options.attempt_instant : !options.attempt_inplace) continue;
        SLUICE_TRY(const direct_end end, alter_in_way(way, facts, alter, settings.time_zone));
        if (end == direct_end::done) return true;
        if (end == direct_end::blocked) break;  // another way would want the same lock
    }
    return false;
}

// `refused` too where an empty copy has told that the server cannot do it so.
outcome<direct_end> migration_run::alter_in_way(alter_way way, const server_facts& facts,
                                                const sql::alter_statement& alter, const std::string& time_zone) {
    const migration_options& options = current_.spec.options;
    const migration_plan names = plan_names(current_.spec);
    while (true) {
        if (interrupted()) return interruption();
        SLUICE_TRY(const table_description original, describe_table(control_, names.original));
        SLUICE_TRY(const scratch_trial trial, try_way(facts, names, original, alter, way, time_zone));
        if (interrupted()) return interruption();
        if (!trial.possible) {
            pass_over(way, trial.why_not);
            return direct_end::refused;
        }
        SLUICE_TRY(const bool held_up, wait_until_let(way));
        if (held_up) continue;
        current_.definition_wanted = trial.altered.create_statement;
        current_.way = way;
        const auto told_otherwise = [&] { return interrupted() || (!goes_at_once(way) && is_told_otherwise(false)); };
        SLUICE_TRY(
            const direct_end end,
            alter_original(way, {.statement = alter_statement_text(facts, names.original, alter, way),
                                 .time_zone = time_zone,
                                 .wait_max = std::min(options.ddl_lock_wait, options.hold_budget),
                                 .lock_holders = [&] { return lock_holders(*facts.family, names.original, control_); },
                                 .told_otherwise = told_otherwise}));
        current_.definition_before.clear();
        current_.definition_wanted.clear();
        if (end != direct_end::done) current_.way.reset();
        if (end != direct_end::called_off) return end;
    }
}

bool migration_run::goes_at_once(alter_way way) const {
    return way == alter_way::instant && current_.spec.options.instant_at_once;
}

std::string migration_run::why_not_altered_yet(alter_way way, operator_hold& hold) {
    if (!goes_at_once(way) && paused_) return why_held_back();
    operator_facts told = hold.facts(current_.spec.options, {postponed_, flag_file_overruled_});
    if (goes_at_once(way)) {
        told.postponed = false;
        told.flag_file = flag_file_state::none;
    }
    const auto verdict = operator_verdict(told);
    if (!verdict) return {};
    return verdict->waiting_for + "; then the server is to alter the table itself (" + std::string(to_string(way)) +
           ")";
}

// What holds up a cut-over holds up this one statement as well. While the operator is waited for nothing of this
// migration is on the server, and so its state says that there is nothing to be taken away.
outcome<bool> migration_run::wait_until_let(alter_way way) {
    operator_hold hold;
    while (true) {
        const std::string why = why_not_altered_yet(way, hold);
        held_up_by_operator_ = !why.empty();
        if (held_up_by_operator_) {
            if (current_.state == migration_state::altering) enter(migration_state::checking);
            wait_for(why);
        } else if (steady_clock::now() < next_direct_attempt_) {
            wait_for("the next attempt to let the server alter the table; the last one was given up: " +
                     last_direct_attempt_);
        } else {
            break;
        }
        SLUICE_TRY_VOID(tick(poll));
    }
    wait_for("");
    if (current_.state == migration_state::altering) return false;
    SLUICE_TRY_VOID(require_same_server());
    enter(migration_state::altering);
    return true;
}

void migration_run::pass_over(alter_way way, const std::string& reason) {
    spdlog::info("migration {}: the way {} is not taken: {}", current_.id, to_string(way), reason);
    current_.passed_over.push_back({way, reason});
}

outcome<scratch_trial> migration_run::try_way(const server_facts& facts, const migration_plan& names,
                                              const table_description& original, const sql::alter_statement& alter,
                                              alter_way way, const std::string& time_zone) {
    for (int trial = 1;; ++trial) {
        auto tried = try_on_scratch(control_, facts, original, names.ghost, alter, way, time_zone);
        // It drops what it made, if it can; what was there it leaves alone.
        tables_made_.ghost = tried.has_error() && tried.error().code != "leftover_tables";
        if (tried || tried.error().then != disposition::retry || trial == trials_max || interrupted()) return tried;
        SLUICE_TRY_VOID(require_claim());
        SLUICE_TRY_VOID(run_control(drop_table_statement(names.ghost)));
    }
}

// Attempts until the server has done it or refused to. `blocked` once the attempts are used up.
outcome<direct_end> migration_run::alter_original(alter_way way, const direct_request& request) {
    const migration_options& options = current_.spec.options;
    const migration_plan names = plan_names(current_.spec);
    const auto gate =
        watch_tables(*environment_.gate, {{names.original.schema, names.original.table, false}}, rules_of_watch());
    if (!gate) return refuse("gate_unavailable", "the proxy cannot watch another table: too many are watched already");
    direct_outcome made;
    for (int attempt = 1; attempt <= attempts_max; ++attempt) {
        if (attempt > 1) {
            SLUICE_TRY(const bool held_up, wait_until_let(way));
            if (held_up) return direct_end::called_off;
        }
        // Who claims the table after a crash must find this session ended, and its statement with it.
        SLUICE_TRY_VOID(require_claim());
        SLUICE_TRY(const table_description original, describe_table(control_, names.original));
        current_.definition_before = original.create_statement;
        // The next process could not tell what has become of the table without this.
        if (auto stored = environment_.store.save(control_, current_); !stored) return std::move(stored).error();
        made = alter_directly(control_, *environment_.sql, *gate, request);
        current_.direct_hold = made.hold;
        next_direct_attempt_ = steady_clock::now() + options.hold_interval;
        last_direct_attempt_ = made.why.message;
        if (made.end == direct_end::done || made.end == direct_end::called_off) return made.end;
        SLUICE_TRY(const bool done, wanted_definition_reached());
        if (done) return direct_end::done;
        if (made.end == direct_end::refused) break;
        made.end = direct_end::blocked;
    }
    std::string reason = made.why.message;
    if (made.end == direct_end::blocked) reason += " (" + std::to_string(attempts_max) + " attempts)";
    if (made.why.server_errno != 0 && made.end == direct_end::refused) {
        reason += " (error " + std::to_string(made.why.server_errno) + ")";
    }
    pass_over(way, reason);
    return made.end;
}

// Asked when the ALTER's outcome is not certain: after a lost connection, a kill, a crash.
outcome<bool> migration_run::wanted_definition_reached() {
    const table_name& table = current_.spec.table;
    auto shown = run_control("SHOW CREATE TABLE " + quote_table(table));
    if (!shown) {
        return refuse("outcome_unknown", "whether the server has altered " + quote_table(table) +
                                             " could not be asked: " + shown.error().message +
                                             "; compare SHOW CREATE TABLE with the ALTER");
    }
    const bool has_text = !shown->rows.empty() && shown->rows[0].size() > 1;
    const std::string now = has_text ? shown->rows[0][1].value_or("") : std::string();
    if (without_counter(now) == without_counter(current_.definition_before)) return false;
    if (shape_of(now) == shape_of(current_.definition_wanted)) return true;
    return refuse("original_changed", quote_table(table) +
                                          " is neither as it was nor as this ALTER makes it: somebody else has changed "
                                          "it meanwhile; look at SHOW CREATE TABLE and start the migration again");
}

outcome<std::optional<migration_run::ending>> migration_run::settle_altering() {
    std::optional<ending> settled;
    if (found_state_ < migration_state::altering) return settled;
    SLUICE_TRY_VOID(run_control(drop_table_statement(plan_names(current_.spec).ghost)));
    if (!current_.definition_before.empty()) {
        SLUICE_TRY(const bool done, wanted_definition_reached());
        if (done) {
            spdlog::info("migration {}: the server had altered the table before the interruption", current_.id);
            settled = ending::completed;
        }
    }
    current_.definition_before.clear();
    current_.definition_wanted.clear();
    return settled;
}

}  // namespace sluice::migration

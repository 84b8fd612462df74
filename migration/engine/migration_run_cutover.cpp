// The part of a migration between "all copied" and "swapped": waiting for a good moment, and the attempts.

#include "migration/apply/server_position.hpp"
#include "migration/check/checks.hpp"
#include "migration/cutover/cutover_timing.hpp"
#include "migration/cutover/swap_check.hpp"
#include "migration/engine/attempt_text.hpp"
#include "migration/engine/migration_run.hpp"
#include "migration/relations/joined_gate.hpp"
#include "migration/relations/relation_steps.hpp"
#include "migration/sql/identifier.hpp"

#include <spdlog/spdlog.h>

#include <chrono>
#include <utility>

namespace sluice::migration {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds moment_poll{50};
constexpr milliseconds store_again{1'000};
constexpr std::size_t attempts_kept = 100;
constexpr std::size_t kills_kept = 100;

template <class T>
void keep_last(std::vector<T>& all, std::size_t kept) {
    if (all.size() > kept) all.erase(all.begin(), all.end() - static_cast<std::ptrdiff_t>(kept));
}

}  // namespace

std::uint32_t migration_run::next_attempt_number() const {
    return current_.cutover_attempts.empty() ? 1 : current_.cutover_attempts.back().number + 1;
}

void migration_run::keep_report(const cutover_attempt& attempt) {
    spdlog::info("migration {}: {}", current_.id, attempt_line(attempt));
    current_.cutover_attempts.push_back(attempt);
    keep_last(current_.cutover_attempts, attempts_kept);
}

void migration_run::keep_kills(cutover_timing& timing) {
    for (blocker_kill& kill : timing.take_kills()) {
        kill.before_attempt = next_attempt_number();
        spdlog::warn("migration {}: {}", current_.id, kill_line(kill));
        current_.blocker_kills.push_back(std::move(kill));
        keep_last(current_.blocker_kills, kills_kept);
        save();
    }
}

// Ages grow from look to look, and better moments come and go: the log has each thing that is waited for once.
void migration_run::wait_for_moment(const moment_verdict& verdict) {
    if (verdict.when == moment::not_now && verdict.about != waited_about_) {
        waited_about_ = verdict.about;
        spdlog::info("migration {}: waiting: {}", current_.id, verdict.waiting_for);
    }
    current_.waiting_for = verdict.waiting_for;
}

outcome<bool> migration_run::good_moment(cutover_timing& timing) {
    const migration_plan& plan = prepared_->plan;
    const moment_verdict verdict = timing.look({.postponed = postponed_, .flag_file_overruled = flag_file_overruled_});
    keep_kills(timing);
    held_up_by_operator_ = verdict.by_operator;
    wait_for_moment(verdict);
    if (verdict.when != moment::go) return false;
    // The stream must be close behind the server, or the hold would be spent on reading it.
    const auto asked = steady_clock::now();
    SLUICE_TRY(const std::uint64_t marker, changelog_->write_marker(runner()));
    const bool came_back = ledger_->wait_marker(marker, asked + plan.options.hold_budget / 4);
    SLUICE_TRY_VOID(stream_guard_.marker(came_back, ledger_->count().position, steady_clock::now()));
    if (!came_back) {
        wait_for(why_stream_is_behind());
        return false;
    }
    return true;
}

outcome<void> migration_run::wait_and_cut_over() {
    const migration_plan& plan = prepared_->plan;
    const auto waits = plan.backwards ? migration_state::reverting : migration_state::ready;
    enter(waits);
    std::vector<gated_table> gated{{plan.original.schema, plan.original.table}};
    for (const table_name& table : plan.relations.related_tables) gated.push_back({table.schema, table.table, false});
    const auto gate = watch_tables(*environment_.gate, gated, rules_of_watch());
    if (!gate) return refuse("gate_unavailable", "the proxy cannot watch another table: too many are watched already");
    cutover_timing timing(plan, *ledger_, control_, *gate);
    std::uint32_t attempts = 0;
    while (true) {
        SLUICE_TRY_VOID(tick(moment_poll));
        if (plan.backwards && !revert_requested_) return refuse("revert_called_off", "called off by the operator");
        if (held_back()) {
            wait_for(why_held_back());
            continue;
        }
        SLUICE_TRY(const bool settled, verify_meanwhile());
        if (!settled) continue;
        if (timing.within_interval(steady_clock::now())) {
            timing.end_blockers({.postponed = postponed_, .flag_file_overruled = flag_file_overruled_});
            keep_kills(timing);
            continue;
        }
        SLUICE_TRY(const bool good, good_moment(timing));
        if (!good) continue;
        SLUICE_TRY_VOID(require_same_server());
        auto same = check_original_unchanged(control_, plan.original_description);
        if (same) same = check_relations_unchanged(control_, plan);
        if (!same) {
            if (same.error().then == disposition::retry) continue;  // a lost connection; there is a new one
            return same;
        }
        const group_part part{&plan, ledger_.get(), gate.get(), &stop_requested_,
                              [this, backwards = plan.backwards] { return is_told_otherwise(backwards); }};
        SLUICE_TRY(const bool together, group_seat_.ready(part));
        if (!together) {
            const std::string others = group_seat_.waiting_for();
            wait_for_moment({.when = moment::not_now, .waiting_for = others, .about = others});
            continue;
        }
        // Looking and meeting take a while, and tick() does what was said meanwhile.
        if (is_told_otherwise(plan.backwards) || held_back()) {
            (void)group_seat_.call_off(next_attempt_number(), "was told otherwise");
            continue;
        }
        if (!plan.backwards) remember_place_before_swap();
        current_.swap_group = group_seat_.tables();
        SLUICE_TRY_VOID(require_claim(1));
        SLUICE_TRY_VOID(stop_replication());
        enter(plan.backwards ? migration_state::reverting : migration_state::cutting_over);
        const bool may = may_attempt();
        swap_possible_ = may;
        waited_about_.clear();
        const auto began = std::chrono::system_clock::now();
        cutover_outcome attempt =
            swap_possible_
                ? group_seat_.attempt(part, next_attempt_number(), *environment_.sql)
                : group_seat_.call_off(next_attempt_number(), "its state could not be stored: " + not_stored_because_);
        if (attempt.tried) ++attempts;
        attempt.report.began = began;
        attempt.report.backwards = plan.backwards;
        if (attempt.end == cutover_end::unknown) {
            SLUICE_TRY(attempt.end, ask_until_known(attempt.why));
            attempt.report.succeeded = attempt.end == cutover_end::swapped;
            swap_possible_ = attempt.report.succeeded;
            attempt.report.hold = gate->open(swap_possible_ ? gate_opening::swapped : gate_opening::given_up);
            // Behind the address there may be another server by now, which has to be told what became of it.
            if (environment_.store.keeps() && !interrupted()) SLUICE_TRY_VOID(require_same_server());
            if (!attempt.report.succeeded) SLUICE_TRY_VOID(take_attempt_back());
        }
        swap_possible_ = attempt.end == cutover_end::swapped;
        if (!swap_possible_) SLUICE_TRY_VOID(start_replication());
        if (attempt.end == cutover_end::given_up) timing.given_up(attempt.report);
        if (attempt.tried) keep_report(attempt.report);
        if (attempt.end == cutover_end::swapped) {
            // Not under the lock, where clients would wait for it as well.
            if (!plan.backwards) {
                const auto once = [this](std::string_view sql) { return control_.run(sql); };
                (void)changelog_->write_state(once, "AllEventsUpToLockProcessed:" + current_.id).has_error();
            }
            group_seat_.leave({});
            return {};
        }
        if (attempt.end == cutover_end::failed) return std::move(*attempt.why);
        enter(waits);
        wait_for(std::string("the next attempt; the last one was ") + (attempt.tried ? "given up: " : "not begun: ") +
                 attempt.report.given_up_because);
        if (!may) SLUICE_TRY_VOID(tick(store_again));
        if (attempts >= plan.options.cutover_attempts_max) {
            return refuse("cutover_attempts_exhausted", "the cut-over was given up " + std::to_string(attempts) +
                                                            " times, last because: " + attempt.report.given_up_because);
        }
    }
}

// Behind a kill only what is stored tells that the swap may be this migration's: without that, a ghost that is gone and
// an old table are somebody else's work. It also tells from where the old table is to follow, and which tables one
// RENAME was to swap: a server that renames table after table may have to be asked for all of them.
bool migration_run::may_attempt() const { return !environment_.store.keeps() || not_stored_because_.empty(); }

// Of an attempt whose connection was lost: what it had made of the ghost goes, and then the batches go on.
outcome<void> migration_run::take_attempt_back() {
    while (true) {
        auto released = release_ghost(control_, prepared_->plan);
        if (released) break;
        if (released.error().then == disposition::abort) return released;
        wait_for("the server, to go on behind an attempt that it did not answer: " + released.error().message);
        SLUICE_TRY_VOID(tick(moment_poll));
    }
    ledger_->unpark_batches();
    return {};
}

// The server did not answer around the rename.
outcome<cutover_end> migration_run::ask_until_known(const std::optional<failure>& why) {
    SLUICE_TRY(const swap_state state,
               which_is_which(prepared_->plan, why ? why->message : std::string(), current_.swap_group));
    return state == swap_state::swapped ? cutover_end::swapped : cutover_end::given_up;
}

}  // namespace sluice::migration

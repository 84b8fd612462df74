// The part of a migration that compares original and ghost: once before the cut-over may be tried, and again and again
// while it is postponed. On the way back the same is done with the new table and the old one: a first pass begins with
// the way back, so that a `revert`, which is mostly urgent, need not wait for it.

#include "migration/check/checks.hpp"
#include "migration/engine/migration_run.hpp"
#include "migration/sql/identifier.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace sluice::migration {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds pause_poll{100};
constexpr std::chrono::seconds settling_shown_after{1};
// Between two passes of a postponed migration: at least this long, and at least as long as the last pass took.
constexpr std::chrono::seconds rest_min{5};
// While the cut-over is postponed a chunk is followed by a rest of so many times its time.
constexpr int rest_factor = 3;
// The old table may be kept current for days: its passes should not push what clients read out of the server's memory.
constexpr std::chrono::minutes back_rest_min{10};
constexpr int back_rest_factor = 10;

}  // namespace

verification_report& migration_run::verification_shown() {
    return prepared_->plan.backwards ? current_.way_back.verification : current_.verification;
}

outcome<void> migration_run::prepare_verification() {
    if (!current_.spec.options.verify) {
        const migration_plan& plan = prepared_->plan;
        spdlog::warn("migration {}: verify is off: {} will not be compared with {}", current_.id,
                     quote_table(plan.ghost), quote_table(plan.original));
        return {};
    }
    comparing_ = std::make_unique<reconnecting_session>(*environment_.sql, [this] { return interrupted(); });
    verification_ = std::make_unique<table_verification>(prepared_->plan, *ledger_, *comparing_,
                                                         [this] { return changelog_->write_marker(runner()); });
    SLUICE_TRY_VOID(verification_->prepare());
    // The copy may take days; an idle connection would not live as long.
    comparing_->close();
    verification_shown() = verification_->report();
    return {};
}

outcome<bool> migration_run::verification_step() {
    auto more = verification_->step();
    verification_shown() = verification_->report();
    if (more || more.error().server_errno == 0) return more;
    // The server's words may only be the consequence of what somebody did to the table.
    auto same = check_original_unchanged(control_, prepared_->plan.original_description);
    if (!same && same.error().code == "original_changed") return std::move(same).error();
    return more;
}

outcome<void> migration_run::verify() {
    if (!verification_) return {};
    const bool backwards = prepared_->plan.backwards;
    if (!backwards) enter(migration_state::verifying);
    // What was compared in the background already counts.
    if (!verification_->in_pass()) verification_->begin_pass();
    auto settling_since = steady_clock::now();
    while (true) {
        SLUICE_TRY_VOID(tick(held_back() ? pause_poll : milliseconds(0)));
        if (backwards && !revert_requested_) return refuse("revert_called_off", "called off by the operator");
        if (held_back()) {
            wait_for(why_held_back());
            continue;
        }
        if (!verification_->settling()) settling_since = steady_clock::now();
        const bool is_slow = steady_clock::now() - settling_since > settling_shown_after;
        wait_for(is_slow     ? "the applier, to see whether rows that differ were in flight"
                 : backwards ? "the comparison of the old table with the new one"
                             : "");
        SLUICE_TRY(const bool more, verification_step());
        if (!more) break;
    }
    wait_for("");
    const pass_counts& counts = verification_shown().last_pass;
    spdlog::info("migration {}: {} of {} rows compared, {} repaired, {} in motion", current_.id, counts.rows_compared,
                 counts.rows_counted, counts.rows_repaired, counts.rows_in_motion);
    next_comparison_ = steady_clock::now() + rest_min;
    return {};
}

outcome<bool> migration_run::verify_meanwhile() {
    const bool only_follows = current_.state == migration_state::in_sync;
    // A pass that has begun is of no use to a cut-over that is wanted, unless it has found something.
    const bool wanted = !only_follows && !postponed_ && !held_up_by_operator_;
    if (!verification_ || (wanted && !verification_->has_suspects())) return true;
    const auto began = steady_clock::now();
    if (held_back() || (began < next_comparison_ && !verification_->settling())) return !verification_->has_suspects();
    if (!verification_->in_pass()) {
        pass_began_ = began;
        verification_->begin_pass();
    }
    // What differs is settled at one go, so that it is not in the way for long.
    const auto until = began + prepared_->plan.options.chunk_time_target;
    bool more = true;
    do {
        SLUICE_TRY(more, verification_step());
    } while (more && verification_->settling() && steady_clock::now() < until && !interrupted());
    const auto now = steady_clock::now();
    const auto pass_took = now - pass_began_;
    const auto rest = only_follows ? std::max<steady_clock::duration>(back_rest_min, back_rest_factor * pass_took)
                                   : std::max<steady_clock::duration>(rest_min, pass_took);
    next_comparison_ = more ? now + rest_factor * (now - began) : now + rest;
    return !verification_->has_suspects();
}

}  // namespace sluice::migration

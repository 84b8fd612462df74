// The part of a migration that compares original and ghost: once before the cut-over may be tried, and again and again
// while it is postponed.

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

}  // namespace

outcome<void> migration_run::prepare_verification() {
    if (!current_.spec.options.verify) {
        spdlog::warn("migration {}: verify is off: the new table will not be compared with the original", current_.id);
        return {};
    }
    comparing_ = std::make_unique<reconnecting_session>(*environment_.sql, [this] { return interrupted(); });
    verification_ = std::make_unique<table_verification>(prepared_->plan, *ledger_, *comparing_,
                                                         [this] { return changelog_->write_marker(runner()); });
    SLUICE_TRY_VOID(verification_->prepare());
    // The copy may take days; an idle connection would not live as long.
    comparing_->close();
    current_.verification = verification_->report();
    return {};
}

outcome<bool> migration_run::verification_step() {
    auto more = verification_->step();
    current_.verification = verification_->report();
    if (more || more.error().server_errno == 0) return more;
    // The server's words may only be the consequence of what somebody did to the table.
    auto same = check_original_unchanged(control_, prepared_->plan.original_description);
    if (!same && same.error().code == "original_changed") return std::move(same).error();
    return more;
}

outcome<void> migration_run::verify() {
    if (!verification_) return {};
    enter(migration_state::verifying);
    verification_->begin_pass();
    auto settling_since = steady_clock::now();
    while (true) {
        SLUICE_TRY_VOID(tick(held_back() ? pause_poll : milliseconds(0)));
        if (held_back()) {
            wait_for(why_held_back());
            continue;
        }
        if (!verification_->settling()) settling_since = steady_clock::now();
        const bool is_slow = steady_clock::now() - settling_since > settling_shown_after;
        wait_for(is_slow ? "the applier, to see whether rows that differ were in flight" : "");
        SLUICE_TRY(const bool more, verification_step());
        if (!more) break;
    }
    wait_for("");
    const pass_counts& counts = current_.verification.last_pass;
    spdlog::info("migration {}: {} of {} rows compared, {} repaired, {} in motion", current_.id, counts.rows_compared,
                 counts.rows_counted, counts.rows_repaired, counts.rows_in_motion);
    next_comparison_ = steady_clock::now() + rest_min;
    return {};
}

outcome<bool> migration_run::verify_meanwhile() {
    // A pass that has begun is of no use to a cut-over that is wanted, unless it has found something.
    if (!verification_ || (!postponed_ && !held_up_by_operator_ && !verification_->has_suspects())) return true;
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
    next_comparison_ =
        more ? now + rest_factor * (now - began) : now + std::max<steady_clock::duration>(rest_min, now - pass_began_);
    return !verification_->has_suspects();
}

}  // namespace sluice::migration

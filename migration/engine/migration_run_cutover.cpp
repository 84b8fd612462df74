// The part of a migration between "all copied" and "swapped": waiting for a good moment, and the attempts.

#include "migration/apply/server_position.hpp"
#include "migration/check/checks.hpp"
#include "migration/cutover/swap_check.hpp"
#include "migration/engine/migration_run.hpp"
#include "migration/family/lock_holders.hpp"
#include "migration/relations/joined_gate.hpp"
#include "migration/relations/relation_steps.hpp"
#include "migration/sql/identifier.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace sluice::migration {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds moment_poll{50};
// A transaction that has been open on the table for so long is waited for before the gate closes, not behind it.
constexpr milliseconds blocker_age_max{1'000};
constexpr std::size_t attempts_kept = 100;

std::string describe(const gate_blocker& blocker) {
    std::string text = "connection " + std::to_string(blocker.connection_id) + " (" + blocker.client + ") " +
                       (blocker.in_transaction ? "has a transaction open on the table for " : "runs a statement for ") +
                       std::to_string(blocker.age.count() / 1000) + " s";
    if (!blocker.statement.empty()) text += ": " + blocker.statement;
    return text;
}

}  // namespace

outcome<bool> migration_run::good_moment(table_gate& gate) {
    const migration_plan& plan = prepared_->plan;
    if (postponed_) {
        wait_for("the operator's cut-over command (the cut-over is postponed)");
        return false;
    }
    if (const auto backlog = ledger_->count().backlog_keys; backlog > plan.options.apply_batch_keys) {
        wait_for("the applier: " + std::to_string(backlog) + " changed keys are still to be applied");
        return false;
    }
    auto blockers = gate.blockers();
    const auto add_direct = [&](const table_name& table) {
        const auto direct = lock_holders(*plan.family, table, control_);
        blockers.insert(blockers.end(), direct.begin(), direct.end());
    };
    add_direct(plan.original);
    for (const table_name& table : plan.relations.related_tables) add_direct(table);
    const auto oldest =
        std::max_element(blockers.begin(), blockers.end(), [](const auto& a, const auto& b) { return a.age < b.age; });
    if (oldest != blockers.end() && oldest->age > blocker_age_max) {
        wait_for(describe(*oldest));
        return false;
    }
    if (const auto xids = ledger_->prepared(); !xids.empty()) {
        wait_for("prepared XA transactions that have changed the table (XA COMMIT or XA ROLLBACK them): " +
                 xids.front());
        return false;
    }
    // The stream must be close behind the server, or the hold would be spent on reading it.
    const auto asked = steady_clock::now();
    SLUICE_TRY(const std::uint64_t marker, changelog_->write_marker(runner()));
    const bool came_back = ledger_->wait_marker(marker, asked + plan.options.hold_budget / 4);
    SLUICE_TRY_VOID(stream_guard_.marker(came_back, ledger_->count().position, steady_clock::now()));
    if (!came_back) {
        wait_for("the binary-log stream, which is behind the server");
        return false;
    }
    wait_for("");
    return true;
}

outcome<void> migration_run::wait_and_cut_over() {
    const migration_plan& plan = prepared_->plan;
    enter(migration_state::ready);
    std::vector<gated_table> gated{{plan.original.schema, plan.original.table}};
    for (const table_name& table : plan.relations.related_tables) gated.push_back({table.schema, table.table});
    const auto gate = watch_tables(*environment_.gate, gated);
    if (!gate) return refuse("gate_unavailable", "the proxy cannot watch another table: too many are watched already");
    cutover changing_places(plan, *ledger_, *environment_.sql, *gate);
    std::uint32_t attempts = 0;
    auto not_before = steady_clock::now();
    while (true) {
        SLUICE_TRY_VOID(tick(moment_poll));
        SLUICE_TRY(const bool settled, verify_meanwhile());
        if (!settled || steady_clock::now() < not_before) continue;
        SLUICE_TRY(const bool good, good_moment(*gate));
        if (!good) continue;
        auto same = check_original_unchanged(control_, plan.original_description);
        if (same) same = check_relations_unchanged(control_, plan);
        if (!same) {
            if (same.error().then == disposition::retry) continue;  // a lost connection; there is a new one
            return same;
        }
        enter(migration_state::cutting_over);
        swap_possible_ = true;
        cutover_outcome attempt = changing_places.attempt(++attempts);
        if (attempt.end == cutover_end::unknown) {
            SLUICE_TRY(attempt.end, ask_until_known(attempt.why));
            attempt.report.succeeded = attempt.end == cutover_end::swapped;
            if (!attempt.report.succeeded) {
                SLUICE_TRY_VOID(release_ghost(control_, plan));
                ledger_->unpark_batches();
            }
        }
        swap_possible_ = attempt.end == cutover_end::swapped;
        current_.cutover_attempts.push_back(attempt.report);
        if (current_.cutover_attempts.size() > attempts_kept) {
            current_.cutover_attempts.erase(current_.cutover_attempts.begin());
        }
        if (attempt.end == cutover_end::swapped) return {};
        if (attempt.end == cutover_end::failed) return std::move(*attempt.why);
        enter(migration_state::ready);
        wait_for("the next attempt; the last one was given up: " + attempt.report.given_up_because);
        if (attempts >= plan.options.cutover_attempts_max) {
            return refuse("cutover_attempts_exhausted", "the cut-over was given up " + std::to_string(attempts) +
                                                            " times, last because: " + attempt.report.given_up_because);
        }
        not_before = steady_clock::now() + plan.options.hold_interval;
    }
}

// The server did not answer around the rename. Nothing else may be done before it has said which table is which.
outcome<cutover_end> migration_run::ask_until_known(const std::optional<failure>& why) {
    wait_for("the server, to say whether the swap took place: " + (why ? why->message : std::string()));
    while (true) {
        const auto state = settle_swap(runner(), prepared_->plan);
        if (state) return *state == swap_state::swapped ? cutover_end::swapped : cutover_end::given_up;
        // Not even an abort may end this wait: dropping the ghost could drop the table.
        publish();
        if (stop_requested_) return state.error();
        std::unique_lock lock(mutex_);
        woken_.wait_for(lock, std::chrono::seconds(1));
    }
}

}  // namespace sluice::migration

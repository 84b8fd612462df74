// The part of a migration that holds it back: throttles, the operator's pause, and the pace of the workers.

#include "migration/engine/migration_run.hpp"
#include "migration/sql/identifier.hpp"

#include <spdlog/spdlog.h>

#include <utility>

namespace sluice::migration {
namespace {

constexpr double percent = 100.0;

}  // namespace

void migration_run::start_throttles() {
    throttler_ = std::make_unique<throttler>(throttle_settings_of(current_.spec.options), *environment_.sql,
                                             environment_.throttles, prepared_->plan.changelog);
}

outcome<void> migration_run::obey_throttles() {
    // What the operator has changed counts from this look on, not from the next.
    if (take_changes()) save();
    throttle_verdict verdict;
    if (throttler_) {
        verdict = throttler_->judge();
        current_.lag = throttler_->lag();
        const client_latency_figures clients = throttler_->clients();
        current_.client_latency = clients.p99;
        current_.client_latency_baseline = clients.baseline;
    }
    const migration_options& options = current_.spec.options;
    ledger_->pause_copy(paused_ || !verdict.reason.empty());
    ledger_->set_pace({.apply_paused = !verdict.reason.empty(),
                       .rest_ratio = static_cast<double>(options.nice_percent) / percent,
                       .chunk_rows_fixed = options.chunk_rows_fixed,
                       .batch_keys_max = options.apply_batch_keys});
    if (planner_) planner_->fix_chunk_rows(options.chunk_rows_fixed);
    current_.throttled_by = std::move(verdict.reason);
    if (verdict.end) return std::move(*verdict.end);
    return {};
}

// At critical load even this is left alone: dropping a large table is load.
void migration_run::drop_or_leave_tables() {
    const migration_plan names = prepared_ ? prepared_->plan : plan_names(current_.spec);
    // Nor is what another run can go on from.
    const bool may_go_on = current_.spec.checkpoint_table && !current_.checkpoint.empty();
    // Nor what may be another process's by now.
    const bool is_to_stay = current_.error->code == "critical_load" || (may_go_on && current_.error->code != "aborted");
    if (is_to_stay || !claimed_ || !require_claim()) {
        current_.leftovers.clear();
        if (is_elsewhere_) return;
        if (tables_made_.ghost) current_.leftovers.push_back(quote_table(names.ghost));
        if (tables_made_.changelog) current_.leftovers.push_back(quote_table(names.changelog));
        if (tables_made_.checkpoints) current_.leftovers.push_back(quote_table(names.checkpoints));
    } else {
        current_.leftovers = drop_artefacts(*environment_.sql, names, tables_made_);
    }
}

std::string migration_run::why_held_back() const {
    if (!current_.throttled_by.empty()) return "throttled: " + current_.throttled_by;
    return paused_ ? "paused by the operator" : "";
}

}  // namespace sluice::migration

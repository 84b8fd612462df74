// Options that are changed while the migration runs.

#include "migration/engine/migration_run.hpp"
#include "migration/reverse/reverse_plan.hpp"

#include <spdlog/spdlog.h>

#include <utility>

namespace sluice::migration {

outcome<void> migration_run::change(const option_changes& changes) {
    const migration_state state = snapshot()->state;
    if (is_final(state) || state == migration_state::tidying) {
        return refuse("wrong_state", "migration " + snapshot()->id + " is " + std::string(to_string(state)) +
                                         ": its options can be changed only until its end");
    }
    for (const option_field* field : changes.fields) {
        if (field->while_running) continue;
        return refuse("fixed_option", std::string(field->name) + " cannot be changed while a migration runs; " +
                                          "these can: " + changeable_options());
    }
    {
        const std::lock_guard lock(mutex_);
        changes_.push_back(changes);
        // Shown at once, though the coordinator may be busy for long.
        auto shown = *published_;
        changes.apply_to(shown.spec.options);
        // Of the cut-over: a revert waits for nothing but a good moment.
        const bool is_ahead =
            (state < migration_state::in_sync && !behind_cutover_) || shown.spec.kind == run_kind::take_back;
        for (const option_field* field : changes.fields) {
            if (field->name == "postpone_cutover" && is_ahead) postponed_ = changes.values.postpone_cutover;
        }
        published_ = std::make_shared<const migration_snapshot>(std::move(shown));
    }
    orders_.say();
    woken_.notify_all();
    return {};
}

bool migration_run::take_changes() {
    std::vector<option_changes> taken;
    {
        const std::lock_guard lock(mutex_);
        taken = std::exchange(changes_, {});
    }
    for (const option_changes& changes : taken) {
        changes.apply_to(current_.spec.options);
        // The workers read the plan's options as well, but none of those that may be changed.
        if (prepared_) changes.apply_to(prepared_->plan.options);
        if (prepared_ && prepared_->plan.backwards && current_.spec.kind != run_kind::take_back)
            revert_when_told(prepared_->plan.options);
        for (const option_field* field : changes.fields) {
            spdlog::info("migration {}: {} = {} from now on", current_.id, field->name,
                         shown_value(*field, changes.values));
        }
    }
    if (throttler_ && !taken.empty()) throttler_->set(throttle_settings_of(current_.spec.options));
    return !taken.empty();
}

}  // namespace sluice::migration

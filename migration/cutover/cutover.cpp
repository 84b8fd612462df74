#include "migration/cutover/cutover.hpp"

#include "migration/check/checks.hpp"
#include "migration/cutover/attempt_run.hpp"
#include "migration/cutover/swap_check.hpp"
#include "migration/relations/relation_steps.hpp"
#include "migration/sql/identifier.hpp"

#include <algorithm>
#include <utility>

namespace sluice::migration {

attempt_run::attempt_run(std::vector<member> members, sql_executor& executor, table_gate& gate,
                         attempt_surroundings& around)
    : members_(std::move(members)),
      executor_(executor),
      gate_(gate),
      around_(around),
      budget_(std::min_element(members_.begin(), members_.end(),
                               [](const member& a, const member& b) {
                                   return a.plan.options.hold_budget < b.plan.options.hold_budget;
                               })
                  ->plan.options.hold_budget),
      session_(
          executor_,
          [this] {
              return std::any_of(members_.begin(), members_.end(), [](const member& one) {
                  return one.ledger.stopping() || (one.stop_requested != nullptr && *one.stop_requested);
              });
          },
          around_) {}

// Before the applier writes to a ghost again, what the attempt has made of it must be gone.
void attempt_run::release(sql_session& on, bool by_usual_names) {
    constexpr int attempts_max = 3;  // a lost connection comes back
    for (member& one : members_) {
        for (int attempt = 0; one.ghost_related && attempt < attempts_max; ++attempt) {
            const auto released = release_ghost(on, by_usual_names ? one.usual : one.plan);
            if (released) one.ghost_related = false;
            if (!released && released.error().then != disposition::retry) break;
        }
    }
}

void attempt_run::open(bool done) {
    const outcome<void> opened = timed("open", [&]() -> outcome<void> {
        // Unlock before opening: what is released must find the table, not a lock. A lost connection unlocks by itself,
        // and what becomes of it is settled in conclude().
        if (session_.connected()) {
            const bool locked = !may_have_swapped_ && (!sentry_ || sentry_->holder_has_locks());
            if (!done && locked) release(session_.raw(), false);
            (void)run("UNLOCK TABLES").has_error();
        }
        if (sentry_) sentry_->end();
        const bool may_have_swapped = sentry_ ? sentry_->may_have_swapped() : may_have_swapped_;
        // A transaction that began now might have a snapshot from before a rename that is still under way: who is held
        // stays so until conclude() has asked, or the deadline is there.
        gate_waits_ = !done && may_have_swapped;
        if (!gate_waits_) report_.hold = gate_.open(done ? gate_opening::swapped : gate_opening::given_up);
        return {};
    });
    SLUICE_ASSERT(opened.has_value());
}

cutover_end attempt_run::ask_the_server(std::optional<failure>& why) {
    // The lost connection may still be at it. It is ended for certain, and then the server is asked.
    if (auto replaced = session_.replace(); !replaced) {
        why = std::move(replaced).error();
        return cutover_end::unknown;
    }
    // One statement renames the tables of all members: what holds for one holds for the others. All are asked all the
    // same, since asking also gives the tables their usual names back.
    cutover_end end = cutover_end::given_up;
    std::vector<swap_names> group;
    for (const member& one : members_) group.push_back(swap_names_of(one.usual));
    for (const member& one : members_) {
        const auto state = settle_swap(runner(), one.usual, around_, group);
        if (!state) {
            why = state.error();
            return cutover_end::unknown;
        }
        if (*state == swap_state::swapped) end = cutover_end::swapped;
    }
    return end;
}

// The answer to the rename was lost, and the lock with it. The old tables' foreign keys must go all the same, by ALTERs
// that wait for metadata locks: a client that has one, and then asks for another, would be a deadlock's victim. So the
// gate closes once more. What cannot be had now is left to the tidying.
void attempt_run::release_old_late() {
    const auto has_keys = [](const member& one) { return !one.plan.relations.found.empty(); };
    if (std::none_of(members_.begin(), members_.end(), has_keys)) return;
    const hold_report held = report_.hold;
    (void)timed("release", [&]() -> outcome<void> {
        const auto deadline = around_.now() + budget_;
        gate_.close(deadline);
        if (gate_.wait_drained(deadline - budget_ / 3)) {
            SLUICE_TRY_VOID(session_.run("SET SESSION lock_wait_timeout = 1"));
            for (const member& one : members_) {
                if (has_keys(one)) SLUICE_TRY_VOID(release_old_table(session_, one.usual, false));
            }
        }
        return {};
    }).has_error();
    // The tables bear the names that they keep, so nobody's view of them is from before. What was held in the swap is
    // what the report is about.
    const hold_report again = gate_.open(gate_opening::given_up);
    report_.hold = held;
    report_.hold.statements_held += again.statements_held;
    report_.hold.hold_max = std::max(held.hold_max, again.hold_max);
}

// What has failed was a statement for all members. Whoever's tables are not what they should be is to blame, and the
// others may go on without.
void attempt_run::find_culprit(cutover_outcome& result) {
    for (std::size_t i = 0; i < members_.size(); ++i) {
        const migration_plan& plan = members_[i].usual;
        auto sound = check_swap_names([this](std::string_view sql) { return session_.run(sql); }, plan);
        if (sound) sound = check_original_unchanged(session_, plan.original_description);
        if (sound) sound = check_relations_unchanged(session_, plan);
        if (sound) continue;
        if (is_server_away(sound.error())) return;
        if (sound.error().then == disposition::abort) {
            result.who = i;
            result.why = std::move(sound).error();
        } else {
            // The next attempt begins with the same look.
            result.end = cutover_end::given_up;
            result.why.reset();
        }
        return;
    }
}

cutover_outcome attempt_run::conclude(const outcome<void>& done) {
    cutover_outcome result;
    result.who = at_;
    if (done) {
        result.end = cutover_end::swapped;
    } else {
        const failure& why = done.error();
        report_.given_up_because = why.message;
        const bool hopeless = why.code != "given_up" && why.then == disposition::abort && why.server_errno != 1317;
        result.end = hopeless ? cutover_end::failed : cutover_end::given_up;
        if (hopeless) result.why = why;
        // After an attempt with a sentry the tables must get their usual names back in any case.
        if (may_have_swapped_ || sentry_ || why.then == disposition::outcome_unknown) {
            const cutover_end end = ask_the_server(result.why);
            if (gate_waits_ && end != cutover_end::unknown) {
                const bool swapped = end == cutover_end::swapped;
                report_.hold = gate_.open(swapped ? gate_opening::swapped : gate_opening::given_up);
            }
            if (end != cutover_end::given_up) result.end = end;
        }
    }
    if (result.end == cutover_end::given_up || result.end == cutover_end::failed) {
        release(session_, true);
        for (std::size_t i = 0; i < members_.size(); ++i) {
            if (!members_[i].ghost_related) continue;
            result.end = cutover_end::failed;
            result.who = i;
            result.why =
                refuse("ghost_not_released", "triggers or foreign keys that the cut-over had made on " +
                                                 quote_table(members_[i].usual.ghost) + " could not be taken back");
        }
    }
    if (result.end == cutover_end::failed && !result.who && members_.size() > 1 && session_.connected()) {
        find_culprit(result);
    }
    if (result.end == cutover_end::swapped) {
        if (!done) release_old_late();
        report_.succeeded = true;
        report_.given_up_because.clear();
        result.why.reset();
    }
    return result;
}

cutover_outcome attempt_run::make(std::uint32_t number) {
    report_.number = number;
    const outcome<void> done = all_steps();
    open(done.has_value());
    cutover_outcome result = conclude(done);
    // While it is unknown which table is which, nothing may be written to one of them.
    if (result.end == cutover_end::given_up || result.end == cutover_end::failed) {
        for (const member& one : members_) {
            if (!one.ghost_related) one.ledger.unpark_batches();
        }
    }
    result.report = std::move(report_);
    return result;
}

cutover::cutover(std::vector<cutover_member> members, sql_executor& executor, table_gate& gate,
                 attempt_surroundings& around)
    : members_(std::move(members)), executor_(executor), gate_(gate), around_(around) {
    SLUICE_ASSERT(!members_.empty());
    for (const cutover_member& one : members_) {
        plans_in_attempt_.push_back(
            std::make_unique<migration_plan>(one.plan.rename_under_lock ? one.plan : with_swap_names(one.plan)));
    }
}

cutover_outcome cutover::attempt(std::uint32_t number) {
    std::vector<attempt_run::member> members;
    for (std::size_t i = 0; i < members_.size(); ++i) {
        members.push_back({members_[i].plan, *plans_in_attempt_[i], members_[i].ledger, members_[i].stop_requested,
                           members_[i].told_otherwise});
    }
    return attempt_run(std::move(members), executor_, gate_, around_).make(number);
}

}  // namespace sluice::migration

// What the operator tells a migration, and what of it the next process finds if this one is killed.

#include "migration/engine/migration_run.hpp"

#include <spdlog/spdlog.h>

#include <optional>
#include <string>

namespace sluice::migration {
namespace {

constexpr std::chrono::seconds storing_max{1};
constexpr std::chrono::milliseconds kill_again{100};

}  // namespace

outcome<void> migration_run::command(operator_command command) {
    const migration_state state = snapshot()->state;
    const bool way_back_follows = snapshot()->spec.kind != run_kind::take_back &&
                                  (state == migration_state::in_sync || state == migration_state::reverting);
    if (way_back_follows || command == operator_command::revert || command == operator_command::finish) {
        return command_way_back(state, command);
    }
    if (is_final(state) || state == migration_state::tidying) {
        return refuse("wrong_state", "migration " + snapshot()->id + " is " + std::string(to_string(state)) +
                                         ": it takes commands only until its cut-over is done");
    }
    const std::string id = snapshot()->id;
    std::unique_lock lock(mutex_);
    if (behind_cutover_) {
        return refuse("wrong_state", "migration " + id +
                                         " has just cut over: it takes `revert` and `finish` as soon as it is in_sync");
    }
    switch (command) {
        case operator_command::cut_over:
            postponed_ = false;
            flag_file_overruled_ = true;
            break;
        case operator_command::postpone:
            postponed_ = true;
            flag_file_overruled_ = false;
            break;
        case operator_command::pause: paused_ = true; break;
        case operator_command::resume: paused_ = false; break;
        case operator_command::abort:
            // Before it is known what an earlier process has left, nothing of it can be taken away.
            (settled_ ? abort_requested_ : aborts_when_settled_) = true;
            orders_.say();
            lock.unlock();
            interrupt_statement();
            return {};
        case operator_command::revert:
        case operator_command::finish: break;  // above
    }
    orders_.say();
    woken_.notify_all();
    return {};
}

// A statement of hours (building indexes) does not look at flags: it is killed from here. The first KILL may be there
// before the statement.
void migration_run::interrupt_statement() {
    constexpr int kills_max = 10;
    woken_.notify_all();
    const std::uint64_t connection = running_statement_of_;
    for (int kill = 0; connection != 0 && running_statement_of_ == connection && kill < kills_max; ++kill) {
        auto killer = environment_.sql->connect();
        if (killer) (void)(*killer)->run("KILL QUERY " + std::to_string(connection)).has_error();
        std::unique_lock lock(mutex_);
        woken_.wait_for(lock, kill_again, [&] { return running_statement_of_ != connection; });
    }
}

failure migration_run::interruption() const {
    return abort_requested_ ? refuse("aborted", "aborted by the operator") : refuse("stopped", "Sluice is stopping");
}

outcome<void> migration_run::command_way_back(migration_state state, operator_command command) {
    const bool fits = state == migration_state::in_sync
                          ? command == operator_command::revert || command == operator_command::finish
                          : state == migration_state::reverting && command == operator_command::abort;
    if (!fits) {
        const std::string now = "migration " + snapshot()->id + " is " + std::string(to_string(state)) + ": ";
        if (state == migration_state::in_sync) return refuse("wrong_state", now + "it takes `revert` or `finish`");
        if (state == migration_state::reverting) {
            return refuse("wrong_state", now + "it takes `abort`, which calls the revert off");
        }
        if (const auto lost = snapshot()->way_back.ended_by) {
            return refuse("wrong_state", now + "its old table is not kept in sync any more: " + lost->message);
        }
        return refuse("wrong_state", now +
                                         "`revert` and `finish` are for a migration that is in_sync, which one with "
                                         "keep_old_table_in_sync becomes by its cut-over");
    }
    const std::string id = snapshot()->id;
    const std::lock_guard lock(mutex_);
    if (let_go_) {
        return refuse("wrong_state", "migration " + id + " is completed in a moment: its old table was let go");
    }
    revert_requested_ = command == operator_command::revert;
    finish_requested_ = command == operator_command::finish;
    orders_.say();
    woken_.notify_all();
    return {};
}

void migration_run::wait_until_stored() {
    if (!environment_.store.keeps() || orders_.wait(storing_max)) return;
    const snapshot_ptr now = snapshot();
    if (is_final(now->state) && end_stored_) return;
    spdlog::warn("migration {}: what it was told counts, but is not stored yet; killed now, Sluice would forget it",
                 now->id);
}

void migration_run::note_settled() {
    const std::lock_guard lock(mutex_);
    settled_ = true;
    if (aborts_when_settled_) abort_requested_ = true;
}

bool migration_run::is_told_otherwise(bool backwards) const {
    return abort_requested_ || postponed_ || paused_ || (backwards && !revert_requested_);
}

std::optional<standing_order> migration_run::order_to_keep() const {
    if (is_final(current_.state)) return std::nullopt;
    if (current_.state == migration_state::in_sync || current_.state == migration_state::reverting) {
        if (revert_requested_) return standing_order::revert;
        if (finish_requested_) return standing_order::finish;
        // A revert that was begun goes on with the next process, unless it is told that this was called off.
        if (current_.state == migration_state::reverting) return standing_order::abort;
        return std::nullopt;
    }
    if (abort_requested_ || aborts_when_settled_) return standing_order::abort;
    return std::nullopt;
}

void migration_run::take_up_order() {
    const bool way_back = current_.state == migration_state::in_sync || current_.state == migration_state::reverting;
    const auto order = current_.ordered;
    revert_requested_ = order == standing_order::revert ||
                        (current_.state == migration_state::reverting && order != standing_order::abort);
    finish_requested_ = order == standing_order::finish;
    aborts_when_settled_ = order == standing_order::abort && !way_back;
    settled_ = current_.state == migration_state::queued;
}

}  // namespace sluice::migration

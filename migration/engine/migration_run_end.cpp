// How a migration ends: what becomes of its tables, and that its end is stored.

#include "migration/engine/lost_artefact.hpp"
#include "migration/engine/migration_run.hpp"
#include "migration/sql/identifier.hpp"

#include <spdlog/spdlog.h>

#include <chrono>
#include <utility>

namespace sluice::migration {
namespace {

constexpr std::chrono::seconds store_again{1};

}  // namespace

void migration_run::conclude(outcome<ending> end) {
    // What follows may take long: a worker's statement has to end, and tables that somebody holds are to be dropped.
    const bool told = orders_.take();
    if (take_changes() || told) {
        publish();
        save();
    }
    if (crew_) crew_->join_all();
    throttler_.reset();
    // Not where the tables have been swapped: they are to be compared as they are.
    if (!end && !swap_possible_ && !is_elsewhere_) (void)start_replication().has_error();
    if (end && *end == ending::completed) {
        enter(migration_state::completed);
        return;
    }
    if (end && *end == ending::reverted) {
        enter(migration_state::reverted);
        return;
    }
    // Where nobody knows yet which table is which, the next process asks, whatever was said meanwhile.
    if (stop_requested_ && (!abort_requested_ || undecided_)) {
        publish();
        save();
        return;
    }
    SLUICE_ASSERT(end.has_error());
    current_.error = std::move(end).error();
    // Behind an abort no lost connection is waited for.
    if (abort_requested_ && current_.error->code == "cannot_connect") current_.error = interruption();
    if (prepared_) current_.error = name_lost_artefact(std::move(*current_.error), prepared_->plan);
    // What the swap has made the table must not be dropped; before it, everything of ours can go.
    if (tables_made_.any() && !swap_possible_) drop_or_leave_tables();
    group_seat_.leave(current_.error->code == "aborted" ? "was aborted" : "failed (" + current_.error->code + ")");
    if (current_.error->code != "aborted") {
        spdlog::error("migration {} of {} failed ({}): {}{}{}", current_.id, quote_table(current_.spec.table),
                      current_.error->code, current_.error->message,
                      current_.error->attempted.empty() ? "" : "; tried: ", current_.error->attempted);
    }
    enter(current_.error->code == "aborted" ? migration_state::aborted : migration_state::failed);
}

// Otherwise the next start would take it up again, whatever was answered to an abort. The server may be away, or may
// take no writes, for as long as it likes; only a stop ends this.
void migration_run::store_end() {
    bool told = false;
    while (environment_.store.keeps() && !end_stored_ && !is_elsewhere_) {
        auto stored = store_end_once();
        if (is_elsewhere_) break;
        if (stored) return;
        if (!told || stop_requested_) {
            spdlog::error(
                "migration {}: its end ({}) is not stored yet, and a Sluice that is started now takes it up again: {}",
                current_.id, to_string(current_.state), stored.error().message);
        }
        told = true;
        if (stop_requested_) return;
        std::unique_lock lock(mutex_);
        woken_.wait_for(lock, store_again);
    }
    if (is_elsewhere_) spdlog::warn("migration {}: its end is another process's to store", current_.id);
}

// On the control connection: the former one, of whose loss the server need not know, holds the claim until this one has
// ended it.
outcome<void> migration_run::store_end_once() {
    constexpr unsigned wait_s = 10;
    SLUICE_TRY_VOID(control_.run("SELECT 1"));
    if (!is_server_of(control_)) return {};  // what is stored there is what came there by itself
    if (was_claimed_ && !control_.has_lock()) {
        SLUICE_TRY(const bool mine, take_claim(wait_s));
        if (!mine) is_elsewhere_ = true;  // whoever has taken the migration up meanwhile stores what becomes of it
        if (!mine) return {};
    }
    SLUICE_TRY_VOID(environment_.store.save(control_, current_));
    end_stored_ = true;
    orders_.stored();
    return {};
}

}  // namespace sluice::migration

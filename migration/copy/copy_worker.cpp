#include "migration/copy/copy_worker.hpp"

#include "migration/apply/apply_batch.hpp"
#include "migration/apply/turn_rules.hpp"
#include "migration/apply/unique_conflict.hpp"
#include "migration/apply/value_loss.hpp"
#include "migration/checkpoint/former_workers.hpp"

#include <algorithm>
#include <utility>

namespace sluice::migration {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds pause_poll{100};
constexpr unsigned attempts_max = 200;  // deadlocks, lock waits, lost connections of one chunk
constexpr unsigned conflicts_max = 12;  // duplicates on another unique key, each after a catch-up

range_bounds bounds_of(const work_ledger::chunk& chunk) {
    return {chunk.lower.literals, chunk.lower_inclusive, chunk.upper.literals};
}

}  // namespace

chunk_planner::chunk_planner(const migration_plan& plan, work_ledger& ledger)
    : plan_(plan),
      ledger_(ledger),
      codec_(plan),
      sizer_(plan.options.chunk_rows_initial, plan.options.chunk_rows_fixed, plan.options.chunk_time_target) {}

outcome<void> chunk_planner::read_range(reconnecting_session& session) {
    // What was logged before the stream began must be within the range, visible yet or not: the reads lock as the
    // chunks do. A row at the edge may be locked by a client for a while.
    const auto run_patiently = [&](const std::string& statement) -> outcome<query_result> {
        for (unsigned attempt = 1;; ++attempt) {
            auto found = session.run(statement);
            if (found || found.error().then != disposition::retry || ledger_.stopping()) return found;
            if (attempt == attempts_max) {
                failure why = std::move(found).error();
                why.then = disposition::abort;
                return why;
            }
            ledger_.idle(milliseconds(20));
        }
    };
    if (plan_.mapping.key.nullable) {
        // Rows with a NULL stand outside the order in which chunks follow each other. Later ones come by the stream.
        SLUICE_TRY(const query_result without_key, run_patiently(null_key_statement(plan_.columns, plan_.lock)));
        if (!without_key.rows.empty()) return null_in_key(plan_);
    }
    SLUICE_TRY(const query_result least, run_patiently(range_min_statement(plan_.columns, plan_.lock)));
    SLUICE_TRY(const query_result greatest, run_patiently(range_max_statement(plan_.columns, plan_.lock)));
    std::optional<copy_range> range;
    if (!least.rows.empty() && !greatest.rows.empty()) {
        SLUICE_TRY(key_bound min, codec_.bound_of(least.rows[0]));
        SLUICE_TRY(key_bound max, codec_.bound_of(greatest.rows[0]));
        range = copy_range{std::move(min), std::move(max)};
    }
    ledger_.set_frontier(copy_frontier(std::move(range), plan_.mapping.key.exactly_ordered));
    return {};
}

outcome<std::optional<work_ledger::chunk>> chunk_planner::next(reconnecting_session& session) {
    const std::lock_guard planning(planning_);
    const auto start = ledger_.next_chunk_start();
    if (!start) return std::optional<work_ledger::chunk>{};
    const range_bounds rest{start->lower.literals, start->inclusive, start->range_max.literals};
    while (true) {
        auto found = session.run(chunk_bound_statement(plan_.columns, rest, chunk_rows()));
        if (!found) {
            if (found.error().then == disposition::abort || ledger_.stopping()) return std::move(found).error();
            continue;  // a lost connection: session.run() waits and is bounded by its patience
        }
        std::optional<key_bound> upper;
        if (!found->rows.empty()) {
            SLUICE_TRY(upper, codec_.bound_of(found->rows[0]));
        }
        return std::optional(ledger_.dispatch(*start, std::move(upper)));
    }
}

void chunk_planner::took(std::size_t rows, microseconds elapsed) {
    const std::lock_guard lock(sizing_);
    sizer_.took(rows, elapsed);
}

void chunk_planner::fix_chunk_rows(std::size_t rows) {
    const std::lock_guard lock(sizing_);
    sizer_.fix(rows);
}

void chunk_planner::failed() {
    const std::lock_guard lock(sizing_);
    sizer_.failed();
}

std::size_t chunk_planner::chunk_rows() const {
    const std::lock_guard lock(sizing_);
    return sizer_.rows();
}

copy_worker::copy_worker(const migration_plan& plan, work_ledger& ledger, chunk_planner& planner,
                         sql_executor& executor, std::size_t place, std::function<outcome<void>(sql_session&)> may_work)
    : plan_(plan),
      ledger_(ledger),
      planner_(planner),
      session_(executor, [&ledger] { return ledger.stopping(); }),
      codec_(plan) {
    if (!plan.run.empty()) session_.live_under(life_lock_of(plan.run, 'c', place), std::move(may_work));
}

void copy_worker::run() {
    auto worked = work();
    if (!worked) ledger_.fail(std::move(worked).error());
}

outcome<void> copy_worker::work() {
    while (!ledger_.stopping()) {
        // A pause that comes when nothing is left to copy must not keep the worker: the coordinator waits for its end.
        if (ledger_.copy_paused() && !ledger_.all_copied()) {
            ledger_.idle(pause_poll);
            continue;
        }
        SLUICE_TRY(auto chunk, planner_.next(session_));
        if (!chunk) return {};
        const auto began = steady_clock::now();
        SLUICE_TRY_VOID(copy(std::move(*chunk)));
        rest_after(steady_clock::now() - began);
    }
    return {};
}

void copy_worker::rest_after(std::chrono::nanoseconds work) {
    using std::chrono::duration_cast;
    const auto until = steady_clock::now() + duration_cast<std::chrono::nanoseconds>(work * ledger_.pace().rest_ratio);
    // A rest may be long: who changes the pace, or wants no rest once all is copied, is not to wait for it.
    while (!ledger_.stopping() && !ledger_.all_copied() && ledger_.pace().rest_ratio > 0.0) {
        const auto left = duration_cast<milliseconds>(until - steady_clock::now());
        if (left <= milliseconds(0)) return;
        ledger_.idle(std::min(left, pause_poll));
    }
}

outcome<void> copy_worker::copy(work_ledger::chunk chunk) {
    // Without an exact order of keys no change is dropped, so rows that the applier brought before are the common case.
    skip_present_ = !plan_.mapping.key.exactly_ordered || chunk.may_meet_rows;
    is_first_attempt_ = !chunk.may_meet_rows;
    attempts_ = 0;
    conflicts_ = 0;
    std::uint64_t rows = 0;
    chunk_parts parts(bounds_of(chunk), planner_.chunk_rows());
    while (true) {
        auto [copied, elapsed] = write(parts.next());
        ledger_.chunk_attempt_ended(chunk);
        is_first_attempt_ = false;
        if (copied) {
            planner_.took(copied->affected_rows, elapsed);
            rows += copied->affected_rows;
            parts.copied();
            if (parts.all_copied()) {
                ledger_.chunk_copied(chunk, rows);
                return {};
            }
            ledger_.dispatch_again(chunk);
            continue;
        }
        if (ledger_.stopping()) return {};
        if (copied.error().code == "transaction_too_large") {
            SLUICE_TRY_VOID(halve(parts, copied.error()));
            ledger_.note_chunk_retry(copied.error().message);
            ledger_.dispatch_again(chunk);
            continue;
        }
        auto recovered = recover_from(std::move(copied).error());
        if (!recovered && is_value_loss(recovered.error())) {
            return value_loss_in_chunk(plan_, session_, bounds_of(chunk), ledger_.count(), recovered.error());
        }
        SLUICE_TRY_VOID(recovered);
        ledger_.dispatch_again(chunk);
    }
}

copy_worker::attempt copy_worker::write(const range_bounds& bounds) {
    // A batch may have brought rows of this range since the first attempt, and no key of the ghost's refuses them.
    if (!is_first_attempt_ && !plan_.mapping.key.enforced) skip_present_ = true;
    const auto turn = ledger_.take_turn(turn_of_chunk(plan_, is_first_attempt_));
    const auto began = steady_clock::now();
    auto copied = session_.run(copy_chunk_statement(plan_.columns, bounds, plan_.lock, skip_present_));
    return {std::move(copied), std::chrono::duration_cast<microseconds>(steady_clock::now() - began)};
}

outcome<void> copy_worker::halve(chunk_parts& parts, const failure& too_large) {
    planner_.failed();
    auto halved = parts.halve(plan_, codec_, session_);
    if (!halved) return recover_from(std::move(halved).error());
    return *halved ? outcome<void>() : outcome<void>(row_too_large(plan_, too_large));
}

outcome<void> copy_worker::recover_from(failure why) {
    if (const auto key = duplicate_key_of(plan_, why)) {
        skip_present_ = true;
        const bool is_same_row = *key == plan_.columns.ghost_index && !plan_.mapping.key.may_collide;
        if (is_same_row && ++attempts_ < attempts_max) return {};
        // Either a value is in motion between rows and the ghost holds it in its old place, or the rows really collide.
        if (is_same_row || ++conflicts_ > conflicts_max) return why;
        return catch_up(plan_, ledger_, session_);
    }
    if (why.then != disposition::retry || ++attempts_ >= attempts_max) {
        why.then = disposition::abort;
        return why;
    }
    // The first attempt may have been committed before its answer was lost.
    if (why.code == "connection_lost") skip_present_ = true;
    planner_.failed();
    ledger_.note_chunk_retry(why.message);
    ledger_.idle(milliseconds(std::min(20u * attempts_, 1000u)));
    return {};
}

}  // namespace sluice::migration

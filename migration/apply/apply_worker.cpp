#include "migration/apply/apply_worker.hpp"

#include "migration/apply/apply_batch.hpp"
#include "migration/apply/turn_rules.hpp"
#include "migration/apply/unique_conflict.hpp"
#include "migration/apply/value_loss.hpp"
#include "migration/checkpoint/former_workers.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace sluice::migration {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds batch_wait{100};
constexpr unsigned attempts_max = 200;
constexpr unsigned conflicts_max = 20;

}  // namespace

apply_worker::apply_worker(const migration_plan& plan, work_ledger& ledger, sql_executor& executor, std::size_t place,
                           std::function<outcome<void>(sql_session&)> may_work)
    : plan_(plan),
      ledger_(ledger),
      session_(executor, [&ledger] { return ledger.stopping(); }),
      batch_keys_(ledger.pace().batch_keys_max) {
    if (!plan.run.empty()) session_.live_under(life_lock_of(plan.run, 'a', place), std::move(may_work));
}

void apply_worker::run() {
    auto worked = work();
    if (!worked) ledger_.fail(std::move(worked).error());
}

outcome<void> apply_worker::work() {
    while (!ledger_.stopping()) {
        SLUICE_TRY_VOID(confirm_visibility());
        batch_keys_ = std::min(batch_keys_, ledger_.pace().batch_keys_max);
        const auto batch = ledger_.take_batch(batch_keys_, batch_wait);
        if (!batch) continue;
        if (!ledger_.wait_for_chunks(*batch)) {
            ledger_.batch_failed(*batch);
            return {};
        }
        SLUICE_TRY_VOID(apply(*batch));
    }
    return {};
}

outcome<void> apply_worker::confirm_visibility() {
    const auto which = ledger_.begin_confirmation();
    if (!which) return {};
    // Waits on the server for at most a second, so that a stalled commit (semi-sync) does not become a busy loop.
    auto waited = session_.run("SELECT WAIT_FOR_EXECUTED_GTID_SET('" + which->transactions.to_string() + "', 1)");
    const bool visible = waited && !waited->rows.empty() && waited->rows[0][0] == "0";
    ledger_.end_confirmation(*which, visible);
    if (!waited && waited.error().then == disposition::abort && !ledger_.stopping()) return std::move(waited).error();
    return {};
}

outcome<void> apply_worker::apply(const work_ledger::batch& batch) {
    const auto run_statement = [this](std::string_view sql) { return session_.run(sql); };
    // A wide batch is larger than the usual ones and must be one transaction: values move between its rows.
    auto applied = [&] {
        const auto turn = ledger_.take_turn(turn_of_batch(plan_));
        return apply_batch(plan_, run_statement, batch.keys, batch_commit::own_transaction, true);
    }();
    if (applied) {
        ledger_.batch_applied(batch);
        batch_keys_ = std::min(batch_keys_ + batch_keys_ / 8 + 1, ledger_.pace().batch_keys_max);
        attempts_ = 0;
        conflicts_ = 0;
        return {};
    }
    ledger_.batch_failed(batch);
    if (ledger_.stopping()) return {};
    // A wide batch has more keys than this, and must stay whole.
    if (applied.error().code == "transaction_too_large" && batch.keys.size() <= batch_keys_) {
        if (batch.keys.size() == 1) return row_too_large(plan_, std::move(applied).error());
        batch_keys_ = batch.keys.size() / 2;
        return {};
    }
    auto recovered = recover_from(std::move(applied).error(), batch);
    if (recovered || !is_value_loss(recovered.error())) return recovered;
    std::vector<std::string> keys;
    keys.reserve(batch.keys.size());
    for (const row_key& key : batch.keys) keys.push_back(key.literals);
    return value_loss_in_batch(plan_, session_, keys, ledger_.count(), recovered.error());
}

outcome<void> apply_worker::recover_from(failure why, const work_ledger::batch& batch) {
    if (const auto key = duplicate_key_of(plan_, why)) {
        // On the identifying key: a chunk brought the row between our delete and our insert.
        const bool is_same_row = *key == plan_.columns.ghost_index && !plan_.mapping.key.may_collide;
        if (is_same_row && ++attempts_ < attempts_max) return {};
        if (is_same_row || ++conflicts_ > conflicts_max) return why;
        // The row that holds the value now has changed too: read its change, and let both travel together.
        ledger_.widen_next_batch(batch);
        auto position = read_place_to_reach(session_, plan_);
        if (!position) {
            if (position.error().then == disposition::abort) return std::move(position).error();
            return {};
        }
        const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(5);
        ledger_.wait_read_through(*position, until);
        ledger_.idle(milliseconds(std::min(10u * conflicts_, 200u)));
        return {};
    }
    if (why.then != disposition::retry || ++attempts_ >= attempts_max) {
        why.then = disposition::abort;
        return why;
    }
    ledger_.idle(milliseconds(std::min(10u * attempts_, 500u)));
    return {};
}

}  // namespace sluice::migration

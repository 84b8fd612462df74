#include "migration/apply/apply_batch.hpp"

#include "migration/sql/delta_statements.hpp"
#include "migration/sql/identifier.hpp"

#include <algorithm>
#include <functional>
#include <span>
#include <string>
#include <utility>

namespace sluice::migration {
namespace {

using statement_builder = std::function<std::string(std::span<const std::string>)>;

outcome<void> run_in_pieces(const statement_runner& run, const statement_builder& build,
                            std::span<const std::string> keys, std::size_t bytes_max, bool may_cut_transaction) {
    const auto halves = [&]() -> outcome<void> {
        SLUICE_TRY_VOID(run_in_pieces(run, build, keys.first(keys.size() / 2), bytes_max, may_cut_transaction));
        return run_in_pieces(run, build, keys.subspan(keys.size() / 2), bytes_max, may_cut_transaction);
    };
    const std::string statement = build(keys);
    if (statement.size() > bytes_max && keys.size() > 1) return halves();
    const auto ran = run(statement);
    if (ran) return {};
    if (may_cut_transaction && keys.size() > 1 && ran.error().code == "transaction_too_large") return halves();
    return ran.error();
}

outcome<void> write_keys(const migration_plan& plan, const statement_runner& run, std::span<const std::string> keys,
                         bool may_cut_transaction) {
    const auto all = [&](const statement_builder& build) {
        return run_in_pieces(run, build, keys, plan.statement_bytes_max, may_cut_transaction);
    };
    // No insert before the last delete: values of other unique keys may move between these rows.
    SLUICE_TRY_VOID(
        all([&plan](const auto& some) { return delta_delete_statement(plan.columns, some, plan.key_form); }));
    if (!has_two_equalities(plan.columns)) {
        return all(
            [&plan](const auto& some) { return delta_insert_statement(plan.columns, some, plan.key_form, plan.lock); });
    }
    // Other bytes of the same key may have brought the row already.
    if (!may_cut_transaction) {
        return all([&plan](const auto& some) {
            return delta_insert_absent_statement(plan.columns, some, plan.key_form, plan.lock);
        });
    }
    SLUICE_TRY_VOID(
        all([&plan](const auto& some) { return delta_delete_current_statement(plan.columns, some, plan.key_form); }));
    return all(
        [&plan](const auto& some) { return delta_insert_statement(plan.columns, some, plan.key_form, plan.lock); });
}

outcome<void> write_transaction(const migration_plan& plan, const statement_runner& run,
                                std::span<const std::string> keys) {
    SLUICE_TRY_VOID(run("START TRANSACTION"));
    auto written = write_keys(plan, run, keys, false);
    if (written) {
        SLUICE_TRY_VOID(run("COMMIT"));
        return {};
    }
    // Of a ROLLBACK only a lost connection can be the failure, and then the server rolls back by itself.
    (void)run("ROLLBACK").has_error();
    return written;
}

}  // namespace

outcome<void> apply_batch(const migration_plan& plan, const statement_runner& run, const std::vector<row_key>& keys,
                          batch_commit commit, bool together) {
    std::vector<std::string> literals;
    literals.reserve(keys.size());
    for (const row_key& key : keys) literals.push_back(key.literals);
    const std::size_t step = together ? std::max<std::size_t>(literals.size(), 1) : plan.options.apply_batch_keys;
    for (std::size_t begin = 0; begin < literals.size(); begin += step) {
        const auto some = std::span(literals).subspan(begin, std::min(step, literals.size() - begin));
        if (commit == batch_commit::own_transaction) {
            SLUICE_TRY_VOID(write_transaction(plan, run, some));
        } else {
            SLUICE_TRY_VOID(write_keys(plan, run, some, true));
        }
    }
    return {};
}

failure row_too_large(const migration_plan& plan, failure why) {
    why.message = "a single row of " + quote_table(plan.original) +
                  " is too large for a transaction of this server: " + why.message +
                  "; raise max_binlog_cache_size above the size of the largest row";
    why.then = disposition::abort;
    return why;
}

}  // namespace sluice::migration

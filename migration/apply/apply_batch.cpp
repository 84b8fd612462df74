#include "migration/apply/apply_batch.hpp"

#include "migration/apply/apply_keeping.hpp"
#include "migration/sql/delta_statements.hpp"
#include "migration/sql/identifier.hpp"

#include <algorithm>
#include <functional>
#include <span>
#include <string>
#include <utility>

namespace sluice::migration {
namespace {

/// The statements for some keys, to be run one after another.
using statement_builder = std::function<std::vector<std::string>(std::span<const std::string>)>;

outcome<void> run_in_pieces(const statement_runner& run, const statement_builder& build,
                            std::span<const std::string> keys, std::size_t bytes_max, bool may_cut_transaction) {
    const auto halves = [&]() -> outcome<void> {
        SLUICE_TRY_VOID(run_in_pieces(run, build, keys.first(keys.size() / 2), bytes_max, may_cut_transaction));
        return run_in_pieces(run, build, keys.subspan(keys.size() / 2), bytes_max, may_cut_transaction);
    };
    if (keys.size() > statement_keys_max) return halves();
    const auto statements = build(keys);
    const bool too_long =
        std::ranges::any_of(statements, [bytes_max](const auto& one) { return one.size() > bytes_max; });
    if (too_long && keys.size() > 1) return halves();
    for (const std::string& statement : statements) {
        const auto ran = run(statement);
        if (ran) continue;
        if (may_cut_transaction && keys.size() > 1 && ran.error().code == "transaction_too_large") return halves();
        return ran.error();
    }
    return {};
}

outcome<void> write_keys(const migration_plan& plan, const statement_runner& run, std::span<const std::string> keys,
                         bool may_cut_transaction) {
    const auto all = [&](const statement_builder& build) {
        return run_in_pieces(run, build, keys, plan.statement_bytes_max, may_cut_transaction);
    };
    const auto delete_some = [&plan](const auto& some) {
        return delta_delete_statement(plan.columns, some, plan.key_form);
    };
    const auto insert_some = [&plan](const auto& some) {
        return delta_insert_statement(plan.columns, some, plan.key_form, plan.lock);
    };
    const auto one = [](std::string statement) { return std::vector<std::string>{std::move(statement)}; };
    // No insert before the last delete: values of other unique keys may move between these rows.
    SLUICE_TRY_VOID(all([&](const auto& some) { return one(delete_some(some)); }));
    if (!plan.mapping.key.enforced && !plan.mapping.key.bytes_are_identity) {
        // Other bytes of the same key may have brought the row already, in an earlier piece.
        return all([&](const auto& some) { return std::vector<std::string>{delete_some(some), insert_some(some)}; });
    }
    if (!has_two_equalities(plan.columns)) return all([&](const auto& some) { return one(insert_some(some)); });
    // Here too, by another spelling.
    if (!may_cut_transaction) {
        return all([&](const auto& some) {
            return one(delta_insert_absent_statement(plan.columns, some, plan.key_form, plan.lock));
        });
    }
    SLUICE_TRY_VOID(
        all([&](const auto& some) { return one(delta_delete_current_statement(plan.columns, some, plan.key_form)); }));
    return all([&](const auto& some) { return one(insert_some(some)); });
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
    if (!plan.columns.kept.empty()) return apply_keeping(plan, run, keys, commit);
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

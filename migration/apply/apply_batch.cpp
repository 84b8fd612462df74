#include "migration/apply/apply_batch.hpp"

#include "migration/sql/delta_statements.hpp"

#include <algorithm>
#include <span>
#include <string>
#include <utility>

namespace sluice::migration {
namespace {

outcome<void> write_keys(const migration_plan& plan, const statement_runner& run, std::span<const std::string> keys) {
    SLUICE_TRY_VOID(run(delta_delete_statement(plan.columns, keys, plan.key_form)));
    SLUICE_TRY_VOID(run(delta_insert_statement(plan.columns, keys, plan.key_form, plan.lock)));
    return {};
}

outcome<void> write_transaction(const migration_plan& plan, const statement_runner& run,
                                std::span<const std::string> keys) {
    SLUICE_TRY_VOID(run("START TRANSACTION"));
    auto written = write_keys(plan, run, keys);
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
            SLUICE_TRY_VOID(write_keys(plan, run, some));
        }
    }
    return {};
}

}  // namespace sluice::migration

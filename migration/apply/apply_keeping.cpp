#include "migration/apply/apply_keeping.hpp"

#include "migration/sql/delta_statements.hpp"
#include "migration/sql/keeping_statements.hpp"

#include <functional>
#include <span>
#include <string>
#include <utility>

namespace sluice::migration {
namespace {

using statement_builder = std::function<std::string(std::span<const std::string>)>;

outcome<void> run_cut(const statement_runner& run, const statement_builder& build, std::span<const std::string> keys,
                      std::size_t bytes_max) {
    if (keys.empty()) return {};
    const auto halves = [&]() -> outcome<void> {
        SLUICE_TRY_VOID(run_cut(run, build, keys.first(keys.size() / 2), bytes_max));
        return run_cut(run, build, keys.subspan(keys.size() / 2), bytes_max);
    };
    if (keys.size() > statement_keys_max) return halves();
    const std::string statement = build(keys);
    if (statement.size() > bytes_max && keys.size() > 1) return halves();
    SLUICE_TRY_VOID(run(statement));
    return {};
}

outcome<void> place(const migration_plan& plan, const statement_runner& run, const std::vector<row_key>& keys) {
    std::vector<std::string> all;
    std::vector<std::string> anew;
    for (const row_key& key : keys) {
        all.push_back(key.literals);
        if (key.anew) anew.push_back(key.literals);
    }
    SLUICE_TRY_VOID(run(empty_incoming_statement(plan.columns)));
    const auto fill = [&plan](std::span<const std::string> some) {
        return fill_incoming_statement(plan.columns, some, plan.key_form, plan.lock);
    };
    const auto forget = [&plan](std::span<const std::string> some) {
        return delta_delete_statement(plan.columns, some, plan.key_form);
    };
    SLUICE_TRY_VOID(run_cut(run, fill, all, plan.statement_bytes_max));
    SLUICE_TRY_VOID(run_cut(run, forget, anew, plan.statement_bytes_max));
    for (const std::string& statement : place_incoming_statements(plan.columns)) SLUICE_TRY_VOID(run(statement));
    return {};
}

}  // namespace

outcome<void> apply_keeping(const migration_plan& plan, const statement_runner& run, const std::vector<row_key>& keys,
                            batch_commit commit) {
    if (keys.empty()) return {};
    SLUICE_TRY_VOID(run(create_incoming_statement(plan.columns)));
    // START TRANSACTION would end LOCK TABLES; this does not (manual, "LOCK TABLES and UNLOCK TABLES Statements"; seen
    // on MySQL 5.6, 9.7 and MariaDB 10.11).
    const bool under_lock = commit == batch_commit::by_statement;
    SLUICE_TRY_VOID(run(under_lock ? "SET SESSION autocommit = 0" : "START TRANSACTION"));
    auto placed = place(plan, run, keys);
    if (placed) {
        if (auto committed = run("COMMIT"); !committed) placed = std::move(committed).error();
    } else {
        // Of a ROLLBACK only a lost connection can be the failure, and then the server rolls back by itself.
        (void)run("ROLLBACK").has_error();
    }
    if (!under_lock) return placed;
    auto back = run("SET SESSION autocommit = 1");
    if (placed && !back) return std::move(back).error();
    return placed;
}

}  // namespace sluice::migration

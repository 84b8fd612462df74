#include "migration/engine/dry_run.hpp"

#include "migration/check/checks.hpp"
#include "migration/check/conversion_settings.hpp"
#include "migration/check/named_cells.hpp"
#include "migration/checksum/row_comparison.hpp"
#include "migration/engine/forecast_warnings.hpp"
#include "migration/engine/log_server.hpp"
#include "migration/engine/preparation.hpp"
#include "migration/relations/relation_steps.hpp"
#include "migration/sql/artefact_names.hpp"
#include "migration/sql/identifier.hpp"
#include "migration/sql/table_statements.hpp"
#include "migration/ways/scratch_trial.hpp"

#include <algorithm>
#include <utility>

namespace sluice::migration {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr std::uint64_t sample_rows_max = 2'000;
constexpr std::uint64_t history_rows_min = 10'000;
constexpr unsigned history_max = 200;

/// `_t_dry`: as long as the ghost's name, so that it fits where that does.
table_name scratch_of(const table_name& table) {
    std::string name = artefact_names_of(table.table).ghost;
    return {table.schema, name.substr(0, name.rfind('_')) + "_dry"};
}

/// One dry run, so that each step is a short function.
struct dry_running {
    const state_store& store;
    const migration_spec& spec;
    const server_roles& roles;
    reconnecting_session session;
    table_name scratch;
    sql::alter_statement alter{};
    server_facts facts{};
    alter_forecast made{};
    std::optional<failure> copy_refused{};

    [[nodiscard]] checked_role role() const {
        return {.is_replica = roles.works_on_replica, .log_is_read_at_replica = roles.log_server != nullptr};
    }
    outcome<void> find_ways();
    outcome<void> check_copy();
    outcome<void> warn_of_leftovers();
    outcome<void> describe_copy();
    void refuse_copy(failure why);
    outcome<void> estimate(const migration_plan& plan, const std::vector<deferred_index>& deferred);
    bool estimate_from_history();
    void estimate_from_sample(const migration_plan& plan);
    outcome<alter_forecast> all_steps();
};

// Every way is looked at, also one that the options do not agree to: the operator may want to.
outcome<void> dry_running::find_ways() {
    SLUICE_TRY(const table_description original, describe_table(session, spec.table));
    SLUICE_TRY(const auto settings, read_conversion_settings(session, *facts.family, spec.options.time_zone));
    made.way = alter_way::copy;
    for (const alter_way way : {alter_way::instant, alter_way::inplace}) {
        SLUICE_TRY(scratch_trial trial,
                   try_on_scratch(session, facts, original, scratch, alter, way, settings.time_zone));
        const bool allowed = way == alter_way::instant ? spec.options.attempt_instant : spec.options.attempt_inplace;
        made.ways.push_back({way, trial.possible, allowed, std::move(trial.why_not)});
        if (trial.possible && allowed && made.way == alter_way::copy) made.way = way;
    }
    return {};
}

// What a run would drop first.
outcome<void> dry_running::warn_of_leftovers() {
    if (!spec.options.drop_leftovers && !spec.drop_former_old_table) return {};
    migration_spec as_it_is = spec;
    as_it_is.drop_former_old_table = false;
    const auto checked = run_checks(session, as_it_is, alter, role());
    if (checked) return {};
    if (checked.error().then != disposition::abort) return checked.error();
    made.warnings.push_back({"leftovers_dropped", "first, as it was told to: " + checked.error().message});
    return {};
}

outcome<void> dry_running::check_copy() {
    checked_role told = role();
    told.drops_leftovers = spec.options.drop_leftovers;
    auto checked = run_checks(session, spec, alter, told);
    if (checked && roles.log_server) {
        auto met = log_server(*roles.log_server).begin(spec, facts);
        if (!met) checked = std::move(met).error();
    }
    if (checked) return warn_of_leftovers();
    failure why = std::move(checked).error();
    if (why.then != disposition::abort) return why;
    copy_refused = std::move(why);
    return {};
}

bool dry_running::estimate_from_history() {
    const auto known = store.load(session, history_max);
    if (!known) return false;
    for (const migration_snapshot& earlier : *known) {
        if (!(earlier.spec.table == spec.table) || earlier.copy_took.count() == 0) continue;
        if (earlier.rows_copied < history_rows_min) continue;
        const double rate = static_cast<double>(earlier.rows_copied) / static_cast<double>(earlier.copy_took.count());
        made.copy_estimate =
            seconds(1 + static_cast<std::int64_t>(static_cast<double>(made.rows_estimate) / rate / 1000));
        made.estimate_basis = "the last copy of this table, " +
                              std::to_string(static_cast<std::uint64_t>(rate * 1000)) + " rows/s (migration " +
                              earlier.id + ")";
        return true;
    }
    return false;
}

// The first rows are copied by the statement of a real copy, and rolled back: nothing of that is in the binary log.
void dry_running::estimate_from_sample(const migration_plan& plan) {
    const std::string statement =
        copy_chunk_statement(plan.columns, {}, read_lock::none, false) + " LIMIT " + std::to_string(sample_rows_max);
    if (!session.run("START TRANSACTION")) return;
    const auto began = steady_clock::now();
    const auto copied = session.run(statement);
    const auto took = std::chrono::duration<double>(steady_clock::now() - began).count();
    (void)session.run("ROLLBACK").has_error();
    if (!copied) {
        made.warnings.push_back({"rows_do_not_fit", "of the first " + std::to_string(sample_rows_max) +
                                                        " rows one cannot be copied: " + copied.error().message + " (" +
                                                        copied.error().code + ")"});
        return;
    }
    const std::uint64_t rows = copied->affected_rows;
    if (rows == 0) {
        made.copy_estimate = seconds(0);
        made.estimate_basis = "the table is empty";
        return;
    }
    const double rate = static_cast<double>(rows) / std::max(took, 1e-6);
    made.copy_estimate = seconds(1 + static_cast<std::int64_t>(static_cast<double>(made.rows_estimate) / rate));
    made.estimate_basis = "the first " + std::to_string(rows) + " rows, copied and rolled back on one connection: " +
                          std::to_string(static_cast<std::uint64_t>(rate)) + " rows/s; " +
                          std::to_string(plan.options.copy_workers) + " connections copy, beside the load of then";
}

outcome<void> dry_running::estimate(const migration_plan& plan, const std::vector<deferred_index>& deferred) {
    if (estimate_from_history()) return {};
    if (!deferred.empty()) SLUICE_TRY_VOID(session.run(drop_indexes_statement(plan.ghost, deferred)));
    estimate_from_sample(plan);
    return {};
}

void dry_running::refuse_copy(failure why) {
    if (!copy_refused) copy_refused = std::move(why);
}

outcome<void> dry_running::describe_copy() {
    migration_plan plan = plan_names(spec);
    plan.ghost = scratch;
    bool scratch_is_own = false;
    outcome<void> prepared = prepare_ghost(session, plan, spec, alter, facts, scratch_is_own);
    if (prepared && spec.options.verify) {
        // Its table is a temporary one and goes with the session.
        const comparison_columns compared =
            comparison_columns_of(plan.original_description, plan.ghost_description, plan.columns,
                                  plan.family && plan.family->has_json_sizes());
        prepared = row_comparison(compared, session, plan.key_form).prepare();
    }
    if (!prepared && prepared.error().then != disposition::abort) return prepared;
    if (prepared) {
        made.unique_key = describe(plan.mapping.key);
        made.columns = columns_of(plan);
        std::vector<deferred_index> deferred;
        if (spec.options.defer_secondary_indexes) {
            deferred = deferrable_indexes(plan.ghost_description, plan.columns.ghost_index);
        }
        for (const deferred_index& index : deferred) made.deferred_indexes.push_back(index.name);
        if (made.way == alter_way::copy) {
            warn_of_plan(plan, alter, made);
            SLUICE_TRY_VOID(estimate(plan, deferred));
        }
    } else {
        refuse_copy(prepared.error());
    }
    if (!scratch_is_own) return {};
    (void)release_ghost(session, plan).has_error();
    SLUICE_TRY_VOID(session.run(drop_table_statement(scratch)));
    return {};
}

outcome<alter_forecast> dry_running::all_steps() {
    made.spec = spec;
    SLUICE_TRY(alter, parse_alter_of(spec));
    SLUICE_TRY_VOID(session.connect());
    SLUICE_TRY(facts, run_direct_checks(session, spec, alter, role()));
    made.server = std::string(facts.family->product()) + " " + facts.version;
    if (spec.options.drop_leftovers) SLUICE_TRY_VOID(session.run(drop_table_statement(scratch)));
    SLUICE_TRY(const query_result sizes,
               session.run("SELECT TABLE_ROWS, DATA_LENGTH, INDEX_LENGTH FROM information_schema.TABLES WHERE "
                           "TABLE_SCHEMA = " +
                           quote_string(spec.table.schema) + " AND TABLE_NAME = " + quote_string(spec.table.table)));
    if (!sizes.rows.empty()) {
        const named_cells row(sizes, 0);
        made.rows_estimate = row.number("TABLE_ROWS").value_or(0);
        made.data_bytes = row.number("DATA_LENGTH").value_or(0);
        made.index_bytes = row.number("INDEX_LENGTH").value_or(0);
    }
    SLUICE_TRY_VOID(find_ways());
    SLUICE_TRY_VOID(check_copy());
    if (!copy_refused) SLUICE_TRY_VOID(describe_copy());
    made.ways.push_back({alter_way::copy, !copy_refused, true, copy_refused ? copy_refused->message : std::string()});
    if (copy_refused && made.way == alter_way::copy) return *copy_refused;
    if (copy_refused) {
        made.warnings.push_back({"copy_refused",
                                 "if the server does not alter the table by itself after all, it cannot "
                                 "be copied (" +
                                     copy_refused->code + "): " + copy_refused->message});
    }
    warn_of_server(session, *facts.family, made);
    return std::move(made);
}

}  // namespace

outcome<alter_forecast> dry_run(sql_executor& executor, const state_store& store, const migration_spec& spec,
                                const server_roles& roles) {
    dry_running run{.store = store,
                    .spec = spec,
                    .roles = roles,
                    .session = reconnecting_session(executor, [] { return false; }),
                    .scratch = scratch_of(spec.table)};
    auto found = run.all_steps();
    // A lost connection leaves the copy behind; everything else drops it where it was made, and a copy that was there
    // before is somebody else's.
    if (!found && found.error().then == disposition::retry && run.session.connected()) {
        (void)run.session.run(drop_table_statement(run.scratch)).has_error();
    }
    return found;
}

}  // namespace sluice::migration

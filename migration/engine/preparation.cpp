#include "migration/engine/preparation.hpp"

#include "migration/changelog/changelog.hpp"
#include "migration/sql/artefact_names.hpp"
#include "migration/sql/identifier.hpp"
#include "migration/sql/table_statements.hpp"

#include <utility>

namespace sluice::migration {
namespace {

constexpr unsigned xa_recover_denied = 1401;  // ER_XAER_RMERR: without XA_RECOVER_ADMIN

}  // namespace

migration_plan plan_names(const migration_spec& spec) {
    const artefact_names names = artefact_names_of(spec.table.table);
    migration_plan plan;
    plan.original = spec.table;
    plan.ghost = {spec.table.schema, names.ghost};
    plan.changelog = {spec.table.schema, names.changelog};
    plan.old_table = {spec.table.schema, names.old_table};
    plan.options = spec.options;
    return plan;
}

outcome<sql::alter_statement> parse_alter_of(const migration_spec& spec) {
    auto alter = sql::parse_alter(spec.alter);
    if (!alter) return refuse("bad_alter", "the ALTER cannot be used: " + alter.error().message);
    if (alter->table && (alter->table->name != spec.table.table ||
                         (!alter->table->schema.empty() && alter->table->schema != spec.table.schema))) {
        return refuse("bad_alter", "the ALTER names table " + quote_identifier(alter->table->name) +
                                       ", the migration is for " + quote_table(spec.table));
    }
    return std::move(alter).value();
}

outcome<prepared_migration> prepare_tables(reconnecting_session& session, const migration_spec& spec,
                                           const sql::alter_statement& alter, const server_facts& facts) {
    prepared_migration made{plan_names(spec), {}};
    migration_plan& plan = made.plan;
    SLUICE_TRY_VOID(session.run(create_ghost_statement(plan.original, plan.ghost)));
    if (auto altered = session.run(alter_ghost_statement(plan.ghost, alter.body)); !altered) {
        failure why = std::move(altered).error();
        if (why.server_errno != 0) why.code = "alter_refused";
        why.message = "the server does not take this ALTER: " + why.message;
        why.then = disposition::abort;
        return why;
    }
    SLUICE_TRY(plan.original_description, describe_table(session, plan.original));
    SLUICE_TRY(plan.ghost_description, describe_table(session, plan.ghost));
    SLUICE_TRY(plan.mapping, map_columns(plan.original_description, plan.ghost_description, alter));
    SLUICE_TRY(plan.columns, copy_columns_of(plan.original_description, plan.ghost_description, plan.mapping));
    plan.follow_by_gtid = facts.gtid_mode_on;
    plan.lock = facts.gtid_mode_on ? read_lock::none : read_lock::share;
    plan.key_form = key_set_form_for(facts.version_number, facts.is_mariadb);
    plan.lower_case_table_names = facts.lower_case_table_names;
    plan.explicit_auto_increment = alter.has(sql::alter_clause_kind::auto_increment);
    SLUICE_TRY_VOID(changelog(plan.changelog).create([&session](std::string_view sql) { return session.run(sql); }));
    if (spec.options.defer_secondary_indexes) {
        made.deferred = deferrable_indexes(plan.ghost_description);
        if (!made.deferred.empty()) SLUICE_TRY_VOID(session.run(drop_indexes_statement(plan.ghost, made.deferred)));
    }
    return made;
}

outcome<bool> wait_for_prepared_transactions(reconnecting_session& session,
                                             const std::function<bool(const std::string& names)>& waiting) {
    while (true) {
        // The columns are formatID, gtrid_length, bqual_length, data.
        auto prepared = session.run("XA RECOVER");
        if (!prepared && prepared.error().server_errno == xa_recover_denied) return false;
        if (!prepared) return std::move(prepared).error();
        if (prepared->rows.empty()) return true;
        std::string names;
        for (const auto& row : prepared->rows) {
            names += (names.empty() ? "" : ", ") + (row.empty() ? std::string("?") : row.back().value_or("?"));
        }
        if (!waiting(names)) return refuse("stopped", "stopped while waiting for prepared XA transactions");
    }
}

std::vector<std::string> drop_artefacts(sql_executor& executor, const migration_plan& names) {
    std::vector<std::string> left;
    auto session = executor.connect();
    for (const table_name& table : {names.ghost, names.changelog}) {
        const bool dropped = session && (*session)->run(drop_table_statement(table)).has_value();
        if (!dropped) left.push_back(quote_table(table));
    }
    return left;
}

}  // namespace sluice::migration

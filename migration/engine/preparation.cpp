#include "migration/engine/preparation.hpp"

#include "migration/apply/turn_rules.hpp"
#include "migration/changelog/changelog.hpp"
#include "migration/check/conversion_settings.hpp"
#include "migration/check/preconditions.hpp"
#include "migration/cutover/swap_check.hpp"
#include "migration/engine/ghost_checks.hpp"
#include "migration/model/fulltext_id.hpp"
#include "migration/relations/plan_relations.hpp"
#include "migration/relations/relation_steps.hpp"
#include "migration/reverse/reverse_plan.hpp"
#include "migration/sql/artefact_names.hpp"
#include "migration/sql/identifier.hpp"
#include "migration/sql/keeping_statements.hpp"
#include "migration/sql/table_statements.hpp"
#include "protocol/sql/lexer.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <optional>
#include <random>
#include <set>
#include <utility>

namespace sluice::migration {
namespace {

constexpr unsigned xa_recover_denied = 1401;  // ER_XAER_RMERR: without XA_RECOVER_ADMIN
constexpr unsigned table_exists = 1050;

/// of_mine: whether the table is this migration's to drop. A lost connection may have made it: the name was free a
/// moment ago, and only who holds the table's claim then drops it.
outcome<void> create_own(const outcome<void>& created, const table_name& table, bool& of_mine) {
    of_mine = created || created.error().then == disposition::retry;
    if (created || created.error().server_errno != table_exists) return created;
    return refuse("leftover_tables", "a table " + quote_table(table) +
                                         " has come into being since the checks, of another run or of somebody else; "
                                         "it is left alone");
}

// A longer statement would cost the connection.
outcome<std::size_t> read_statement_bytes_max(sql_session& session) {
    constexpr std::size_t reserve_bytes = 64;
    SLUICE_TRY(const query_result shown, session.run("SELECT @@SESSION.max_allowed_packet"));
    const std::string text = shown.rows.empty() ? "" : shown.rows[0][0].value_or("");
    std::size_t bytes = 0;
    std::from_chars(text.data(), text.data() + text.size(), bytes);
    return std::max(bytes, 2 * reserve_bytes) - reserve_bytes;
}

// What the way back needs where the ALTER drops columns.
outcome<void> try_temporary_table(reconnecting_session& session, const migration_plan& back) {
    const std::string name = quote_table(incoming_table(back.columns));
    auto made = session.run("CREATE TEMPORARY TABLE IF NOT EXISTS " + name + " (nothing TINYINT)");
    if (made) made = session.run("DROP TEMPORARY TABLE IF EXISTS " + name);
    if (made) return {};
    failure why = std::move(made).error();
    if (why.then == disposition::retry) return why;
    why.code = "missing_privileges";
    why.message = "keep_old_table_in_sync with columns that the ALTER drops needs CREATE TEMPORARY TABLES ON " +
                  quote_identifier(back.ghost.schema) + ".*: " + why.message;
    return why;
}

/// What is read from the two tables as they stand.
outcome<void> plan_columns(reconnecting_session& session, migration_plan& plan, const sql::alter_statement& alter,
                           const server_facts& facts, const conversion_settings& settings) {
    SLUICE_TRY(plan.original_description, describe_table(session, plan.original));
    SLUICE_TRY(plan.ghost_description, describe_table(session, plan.ghost));
    SLUICE_TRY_VOID(check_fulltext_id(plan.ghost_description));
    SLUICE_TRY(plan.mapping, map_columns(plan.original_description, plan.ghost_description, alter,
                                         {plan.options.allow_nullable_unique_key}));
    SLUICE_TRY(plan.columns,
               copy_columns_of(plan.original_description, plan.ghost_description, plan.mapping, settings));
    SLUICE_TRY_VOID(learn_server(session, plan, facts));
    plan.explicit_auto_increment = alter.has(sql::alter_clause_kind::auto_increment);
    plan.moment = settings.now;
    return {};
}

// To a column that is renamed the ghost's is a stranger.
void take_renames_apart(sql::alter_statement& alter) {
    std::vector<sql::alter_clause> added;
    for (sql::alter_clause& clause : alter.clauses) {
        const bool renames = (clause.kind == sql::alter_clause_kind::change_column ||
                              clause.kind == sql::alter_clause_kind::rename_column) &&
                             !sql::equal_ignoring_case(clause.name, clause.new_name);
        if (!renames) continue;
        sql::alter_clause one = clause;
        one.kind = sql::alter_clause_kind::add_column;
        one.name = clause.new_name;
        added.push_back(std::move(one));
        clause.kind = sql::alter_clause_kind::drop_column;
        clause.new_name.clear();
        clause.columns.clear();
    }
    std::move(added.begin(), added.end(), std::back_inserter(alter.clauses));
}

std::string fresh_run() {
    std::random_device source;
    constexpr const char* digits = "0123456789abcdef";
    std::string name;
    for (int i = 0; i < 32; ++i) name += digits[source() % 16];
    return name;
}

}  // namespace

migration_plan plan_names(const migration_spec& spec) {
    const artefact_names names = artefact_names_of(spec.table.table, spec.options.tables_named_after);
    migration_plan plan;
    plan.original = spec.table;
    plan.ghost = {spec.table.schema, names.ghost};
    plan.changelog = {spec.table.schema, names.changelog};
    plan.old_table = {spec.table.schema,
                      spec.options.old_table_name.empty() ? names.old_table : spec.options.old_table_name};
    plan.checkpoints = {spec.table.schema, names.checkpoints};
    plan.swap_ghost = {spec.table.schema, names.swap_ghost};
    plan.swap_old = {spec.table.schema, names.swap_old};
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
    if (spec.options.skip_renamed_columns) take_renames_apart(*alter);
    return std::move(alter).value();
}

outcome<void> prepare_ghost(reconnecting_session& session, migration_plan& plan, const migration_spec& spec,
                            const sql::alter_statement& alter, const server_facts& facts, bool& ghost_is_own) {
    const relations_subject relations{session, spec, alter, facts, plan.ghost.table};
    SLUICE_TRY_VOID(plan_triggers(relations, plan.relations));
    SLUICE_TRY_VOID(plan_foreign_keys(relations, plan.relations));
    outcome<void> created;
    if (auto ran = session.run(create_ghost_statement(plan.original, plan.ghost)); !ran)
        created = std::move(ran).error();
    SLUICE_TRY_VOID(create_own(created, plan.ghost, ghost_is_own));
    SLUICE_TRY(const auto check_names, name_ghost_checks(session, *facts.family, plan.original, plan.ghost));
    const std::string body = sql::with_constraint_names(
        sql::without_algorithm_and_lock(body_without_foreign_keys(alter, plan.relations)), check_names);
    SLUICE_TRY(const auto settings, read_conversion_settings(session, *facts.family, spec.options.time_zone));
    if (auto altered = body.empty() ? outcome<query_result>(query_result{})
                                    : run_in_zone(session, settings.time_zone, alter_ghost_statement(plan.ghost, body));
        !altered) {
        failure why = std::move(altered).error();
        if (why.server_errno != 0) why.code = "alter_refused";
        why.message = "the server does not take this ALTER: " + why.message;
        why.then = disposition::abort;
        return why;
    }
    SLUICE_TRY_VOID(plan_columns(session, plan, alter, facts, settings));
    SLUICE_TRY_VOID(try_relations(session, plan));
    if (spec.options.keep_old_table_in_sync) {
        // Hours of copying must not end in a way back that is not there.
        SLUICE_TRY(const migration_plan back,
                   plan_way_back(plan, plan.ghost_description, plan.original_description, alter, settings));
        if (!back.columns.kept.empty()) SLUICE_TRY_VOID(try_temporary_table(session, back));
    }
    return {};
}

outcome<void> learn_server(reconnecting_session& session, migration_plan& plan, const server_facts& facts) {
    plan.family = facts.family;
    plan.follow_by_gtid = facts.family->confirms_by_gtid(facts.gtid_mode_on);
    plan.lock = plan.follow_by_gtid ? read_lock::none : read_lock::share;
    plan.key_form = facts.family->key_form();
    plan.rename_under_lock = facts.family->rename_under_lock();
    plan.lower_case_table_names = facts.lower_case_table_names;
    SLUICE_TRY(plan.writers_in_turn, must_take_turns(session, plan));
    SLUICE_TRY(plan.statement_bytes_max, read_statement_bytes_max(session));
    return {};
}

outcome<migration_plan> prepare_way_back(reconnecting_session& session, const migration_spec& spec,
                                         const std::map<std::string, std::string>& former_trigger_names) {
    SLUICE_TRY(const sql::alter_statement alter, parse_alter_of(spec));
    SLUICE_TRY(const server_facts facts, check_server(session));
    const migration_plan forward = plan_names(spec);
    SLUICE_TRY(const table_description now, describe_table(session, forward.original));
    SLUICE_TRY(const table_description old, describe_table(session, forward.old_table));
    SLUICE_TRY(const auto settings, read_conversion_settings(session, *facts.family, spec.options.time_zone));
    SLUICE_TRY(migration_plan back, plan_way_back(forward, now, old, alter, settings));
    SLUICE_TRY_VOID(learn_server(session, back, facts));
    SLUICE_TRY_VOID(plan_relations_back(session, spec, facts, former_trigger_names, back));
    return back;
}

outcome<prepared_migration> prepare_tables(reconnecting_session& session, const migration_spec& spec,
                                           const sql::alter_statement& alter, const server_facts& facts,
                                           own_tables& own) {
    prepared_migration made{plan_names(spec), {}};
    migration_plan& plan = made.plan;
    SLUICE_TRY_VOID(prepare_ghost(session, plan, spec, alter, facts, own.ghost));
    plan.run = fresh_run();
    const auto run = [&session](std::string_view sql) { return session.run(sql); };
    SLUICE_TRY_VOID(create_own(changelog(plan.changelog).create(run), plan.changelog, own.changelog));
    SLUICE_TRY_VOID(changelog(plan.changelog).name_run(run, plan.run));
    if (spec.options.defer_secondary_indexes) {
        made.deferred = deferrable_indexes(plan.ghost_description, plan.columns.ghost_index);
        if (!made.deferred.empty()) SLUICE_TRY_VOID(session.run(drop_indexes_statement(plan.ghost, made.deferred)));
    }
    return made;
}

outcome<prepared_migration> adopt_tables(reconnecting_session& session, const migration_spec& spec,
                                         const sql::alter_statement& alter, const server_facts& facts,
                                         const checkpoint& from) {
    prepared_migration found{plan_names(spec), {}};
    migration_plan& plan = found.plan;
    plan.run = from.run;
    const relations_subject relations{session, spec, alter, facts, plan.ghost.table};
    SLUICE_TRY_VOID(plan_triggers(relations, plan.relations));
    SLUICE_TRY_VOID(plan_foreign_keys(relations, plan.relations));
    SLUICE_TRY(auto settings, read_conversion_settings(session, *facts.family, spec.options.time_zone));
    settings.now = from.moment;
    SLUICE_TRY_VOID(plan_columns(session, plan, alter, facts, settings));
    for (const deferred_index& index : from.deferred) {
        const bool is_there = std::ranges::any_of(
            plan.ghost_description.keys, [&index](const key_description& key) { return key.name == index.name; });
        if (!is_there) found.deferred.push_back(index);
    }
    return found;
}

outcome<bool> wait_for_prepared_transactions(reconnecting_session& session,
                                             const std::function<outcome<void>(const std::string& names)>& waiting) {
    // Those of the first answer. Later ones are in the stream from their beginning, and a server that is never without
    // some must not keep the migration waiting.
    std::optional<std::set<std::vector<cell>>> awaited;
    std::string names;
    while (true) {
        // The columns are formatID, gtrid_length, bqual_length, data.
        auto prepared = session.run("XA RECOVER");
        if (!prepared && prepared.error().server_errno == xa_recover_denied) return false;
        if (!prepared && prepared.error().then == disposition::retry) {
            SLUICE_TRY_VOID(waiting(names));
            continue;
        }
        if (!prepared) return std::move(prepared).error();
        const std::set<std::vector<cell>> now(prepared->rows.begin(), prepared->rows.end());
        if (!awaited) awaited = now;
        std::erase_if(*awaited, [&now](const auto& row) { return !now.contains(row); });
        if (awaited->empty()) return true;
        names.clear();
        for (const auto& row : *awaited) {
            names += (names.empty() ? "" : ", ") + (row.empty() ? std::string("?") : row.back().value_or("?"));
        }
        SLUICE_TRY_VOID(waiting(names));
    }
}

std::vector<std::string> drop_artefacts(sql_executor& executor, const migration_plan& names, const own_tables& own) {
    std::vector<std::string> left;
    auto session = executor.connect();
    if (session && own.ghost && !names.rename_under_lock) {
        const auto run = [&session](std::string_view sql) { return (*session)->run(sql); };
        if (!settle_swap(run, names)) left = {quote_table(names.swap_ghost), quote_table(names.swap_old)};
    }
    // A foreign key of another table to the ghost would keep it from being dropped.
    if (session && own.ghost) (void)release_ghost(**session, names).has_error();
    std::vector<table_name> tables;
    if (own.ghost) tables.push_back(names.ghost);
    if (own.changelog) tables.push_back(names.changelog);
    if (own.checkpoints) tables.push_back(names.checkpoints);
    for (const table_name& table : tables) {
        const bool dropped = session && (*session)->run(drop_table_statement(table)).has_value();
        if (!dropped) left.push_back(quote_table(table));
    }
    return left;
}

}  // namespace sluice::migration

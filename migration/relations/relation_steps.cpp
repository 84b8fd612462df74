#include "migration/relations/relation_steps.hpp"

#include "migration/relations/read_relations.hpp"
#include "migration/sql/identifier.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace sluice::migration {
namespace {

constexpr std::string_view checks_off = "SET SESSION foreign_key_checks = 0";
constexpr std::string_view checks_on = "SET SESSION foreign_key_checks = 1";

/// The rows satisfy the keys, since they are those of the original, which the server has held to them: checking them
/// again would read the whole table under the lock. Without checks the server changes metadata only.
template <class Step>
outcome<void> without_checks(sql_session& session, Step step) {
    SLUICE_TRY_VOID(session.run(checks_off));
    outcome<void> done = step();
    auto back = session.run(checks_on);
    if (!done) return done;
    if (!back) return std::move(back).error();
    return {};
}

outcome<void> alter_keys(sql_session& session, const table_name& table, const std::vector<std::string>& clauses) {
    if (clauses.empty()) return {};
    SLUICE_TRY_VOID(session.run(alter_keys_statement(table, clauses)));
    return {};
}

outcome<foreign_keys> keys_of(sql_session& session, const migration_plan& plan, const table_name& table) {
    if (plan.family) return read_foreign_keys(session, *plan.family, table, plan.lower_case_table_names);
    SLUICE_TRY(const family_ptr family, family_of(session));  // after a restart only names are known
    return read_foreign_keys(session, *family, table, plan.lower_case_table_names);
}

bool same_columns(const foreign_key& a, const foreign_key& b) { return a.child_columns == b.child_columns; }

/// The name that one of the original's keys has on the ghost: generated names follow the table by themselves.
std::string name_on_ghost(const foreign_key& key, const migration_plan& plan) {
    return key.has_generated_name() ? generated_name_on(key, plan.ghost.table) : passing_name(key.name);
}

foreign_key on_table(foreign_key key, const table_name& from, const table_name& to) {
    if (key.child == from) key.child = to;
    if (key.parent == from) key.parent = to;
    return key;
}

outcome<void> add_own_keys(sql_session& session, const migration_plan& plan) {
    std::vector<std::string> clauses;
    for (const auto& kept : plan.relations.kept) {
        foreign_key key = on_table(kept, plan.original, plan.ghost);
        key.name = name_on_ghost(kept, plan);
        clauses.push_back(add_clause(key));
    }
    return alter_keys(session, plan.ghost, clauses);
}

/// One statement per child. The keys to the original stay, so that there is no moment without one.
outcome<void> add_keys_to_ghost(sql_session& session, const migration_plan& plan) {
    for (const auto& table : plan.relations.related_tables) {
        std::vector<std::string> clauses;
        for (const auto& pointed : plan.relations.pointed) {
            if (pointed.key.child != table) continue;
            clauses.push_back(add_unnamed_clause(on_table(pointed.key, plan.original, plan.ghost), pointed.index));
        }
        SLUICE_TRY_VOID(alter_keys(session, table, clauses));
    }
    return {};
}

/// Drops, of the given keys, those that `goes` says; one statement per child.
template <class Goes>
outcome<void> drop_keys(sql_session& session, const std::vector<foreign_key>& keys, Goes goes) {
    std::vector<table_name> children;
    for (const auto& key : keys) {
        if (std::find(children.begin(), children.end(), key.child) == children.end()) children.push_back(key.child);
    }
    for (const auto& child : children) {
        std::vector<std::string> clauses;
        for (const auto& key : keys) {
            if (key.child == child && goes(key)) clauses.push_back(drop_clause(key.name));
        }
        SLUICE_TRY_VOID(alter_keys(session, child, clauses));
    }
    return {};
}

/// The new table's own keys under the names that the original's had; the old table has none any more.
outcome<void> restore_own_names(sql_session& session, const migration_plan& plan) {
    std::vector<std::string> clauses;
    for (const auto& key : plan.relations.kept) {
        if (key.has_generated_name()) continue;
        clauses.push_back(drop_clause(passing_name(key.name)));
        clauses.push_back(add_clause(key));
    }
    return alter_keys(session, plan.original, clauses);
}

/// The same for the keys of other tables to it. Those with a generated name keep the next one, which they have got: a
/// name given outright would rename an index that the server had made for the key.
outcome<void> restore_referencing_names(sql_session& session, const migration_plan& plan) {
    SLUICE_TRY(const foreign_keys now, keys_of(session, plan, plan.original));
    for (const auto& table : plan.relations.related_tables) {
        std::vector<std::string> clauses;
        for (const auto& pointed : plan.relations.pointed) {
            const auto& key = pointed.key;
            if (key.child != table || key.has_generated_name()) continue;
            const auto made = std::find_if(now.referencing.begin(), now.referencing.end(), [&](const auto& one) {
                return one.child == table && same_columns(one, key) && one.name != key.name;
            });
            if (made == now.referencing.end()) continue;
            clauses.push_back(drop_clause(made->name));
            clauses.push_back(add_clause(key));
        }
        SLUICE_TRY_VOID(alter_keys(session, table, clauses));
    }
    return {};
}

failure changed(const migration_plan& plan, const std::string& how) {
    return refuse("original_changed", quote_table(plan.original) + " was changed by somebody else meanwhile: " + how +
                                          "; start the migration again");
}

}  // namespace

outcome<void> check_relations_unchanged(sql_session& session, const migration_plan& plan) {
    SLUICE_TRY(const auto names, read_trigger_names(session, plan.original));
    for (const auto& name : names) {
        const auto known = std::any_of(plan.relations.triggers.begin(), plan.relations.triggers.end(),
                                       [&](const table_trigger& trigger) { return trigger.name == name; });
        if (!known) return changed(plan, "it has a trigger now, " + quote_identifier(name));
    }
    if (!plan.relations.triggers.empty()) {
        SLUICE_TRY(const auto triggers, read_triggers(session, plan.original));
        if (triggers != plan.relations.triggers) return changed(plan, "its triggers are not the same");
    }
    SLUICE_TRY(const foreign_keys keys, keys_of(session, plan, plan.original));
    if (keys == plan.relations.found) return {};
    for (const auto& key : keys.referencing) {
        const auto& known = plan.relations.found.referencing;
        if (std::find(known.begin(), known.end(), key) == known.end()) {
            return changed(plan, "foreign key " + shown(key) + " refers to it now");
        }
    }
    return changed(plan, "its foreign keys are not the same");
}

outcome<void> make_triggers(sql_session& session, const migration_plan& plan) {
    if (plan.relations.made.empty()) return {};
    outcome<void> done;
    for (const auto& trigger : plan.relations.made) {
        const auto place = std::find_if(trigger.statements.begin(), trigger.statements.end(),
                                        [&](const auto& one) { return one.table == plan.ghost.table; });
        SLUICE_ASSERT(place != trigger.statements.end());
        auto set = session.run(trigger.session);
        if (!set) {
            done = std::move(set).error();
            break;
        }
        // In the order in which they act: each goes behind those of its kind that are there.
        auto made = session.run(place->create);
        if (!made) {
            done = std::move(made).error();
            break;
        }
    }
    auto back = session.run(plan.relations.usual_session);
    if (!done) return done;
    if (!back) return std::move(back).error();
    return {};
}

outcome<void> relate_ghost(sql_session& session, const migration_plan& plan) {
    SLUICE_TRY_VOID(make_triggers(session, plan));
    if (plan.relations.kept.empty() && plan.relations.pointed.empty()) return {};
    return without_checks(session, [&]() -> outcome<void> {
        SLUICE_TRY_VOID(add_own_keys(session, plan));
        return add_keys_to_ghost(session, plan);
    });
}

outcome<void> drop_ghost_triggers(sql_session& session, const table_name& ghost) {
    SLUICE_TRY(const auto names, read_trigger_names(session, ghost));
    for (const auto& name : names) SLUICE_TRY_VOID(session.run(drop_trigger_statement(ghost.schema, name)));
    return {};
}

outcome<void> release_ghost(sql_session& session, const migration_plan& plan) {
    SLUICE_TRY_VOID(drop_ghost_triggers(session, plan.ghost));
    SLUICE_TRY(const foreign_keys keys, keys_of(session, plan, plan.ghost));
    const auto all = [](const foreign_key&) { return true; };
    SLUICE_TRY_VOID(drop_keys(session, keys.referencing, all));
    return drop_keys(session, keys.own, all);
}

outcome<void> release_old_table(sql_session& session, const migration_plan& plan, bool under_lock) {
    return without_checks(session, [&]() -> outcome<void> {
        SLUICE_TRY(const foreign_keys old, keys_of(session, plan, plan.old_table));
        SLUICE_TRY_VOID(drop_keys(session, old.own, [](const foreign_key&) { return true; }));
        if (!old.referencing.empty()) {
            SLUICE_TRY(const foreign_keys now, keys_of(session, plan, plan.original));
            SLUICE_TRY_VOID(drop_keys(session, old.referencing, [&](const foreign_key& key) {
                return std::any_of(now.referencing.begin(), now.referencing.end(), [&](const foreign_key& other) {
                    return other.child == key.child && same_columns(other, key);
                });
            }));
        }
        if (!under_lock) return {};
        SLUICE_TRY_VOID(restore_own_names(session, plan));
        return restore_referencing_names(session, plan);
    });
}

}  // namespace sluice::migration

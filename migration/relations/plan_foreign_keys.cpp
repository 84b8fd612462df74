#include "migration/check/granted_privileges.hpp"
#include "migration/check/preconditions.hpp"
#include "migration/check/server_variables.hpp"
#include "migration/relations/plan_relations.hpp"
#include "migration/relations/read_relations.hpp"
#include "migration/sql/artefact_names.hpp"
#include "migration/sql/identifier.hpp"
#include "protocol/sql/lexer.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace sluice::migration {
namespace {

using kind = sql::alter_clause_kind;

std::string all_shown(const std::vector<foreign_key>& keys) {
    std::vector<std::string> texts;
    texts.reserve(keys.size());
    for (const auto& key : keys) texts.push_back(shown(key));
    return listed(texts);
}

/// MySQL from 9.6 on carries cascades out in its SQL layer, which logs the rows, unless it was started with
/// innodb_native_foreign_keys = ON. Elsewhere InnoDB does it by itself and logs nothing.
outcome<bool> logs_cascades(sql_session& session) {
    SLUICE_TRY(const auto variables, read_global_variables(session, {"innodb_native_foreign_keys"}));
    const auto native = value_of(variables, "innodb_native_foreign_keys");
    return !native.empty() && !is_on(variables, "innodb_native_foreign_keys");
}

outcome<void> check_cascades(const relations_subject& subject, const std::vector<foreign_key>& own) {
    std::vector<foreign_key> changing;
    std::copy_if(own.begin(), own.end(), std::back_inserter(changing),
                 [](const foreign_key& key) { return key.changes_child(); });
    if (changing.empty()) return {};
    SLUICE_TRY(const bool logged, logs_cascades(subject.session));
    if (logged) return {};
    return refuse("foreign_key_cascades",
                  "rows of " + quote_table(subject.spec.table) +
                      " are changed by foreign keys without a trace in the binary log, so that the changes could not "
                      "be followed: " +
                      all_shown(changing) +
                      ". Drop these keys for the time of the migration, or make them again without CASCADE and SET "
                      "NULL (MySQL 9.6 and newer log such changes unless innodb_native_foreign_keys is ON)");
}

/// Keys whose names InnoDB made follow each rename of their table; the longest of those names must be one.
outcome<void> check_generated_names(const relations_subject& subject, const std::vector<foreign_key>& own) {
    const artefact_names names = artefact_names_of(subject.spec.table.table);
    for (const auto& key : own) {
        if (!key.has_generated_name()) continue;
        for (const auto& table : {names.ghost, names.old_table, names.swap_ghost, names.swap_old}) {
            const auto name = generated_name_on(key, table);
            if (character_count(name) <= identifier_characters_max) continue;
            return refuse("foreign_key_name_too_long",
                          "foreign key " + shown(key) + " has a name that follows its table's, and as \"" + name +
                              "\" it would be longer than 64 characters: make it again under a name of its own");
        }
    }
    return {};
}

outcome<void> check_passing_names(const relations_subject& subject, const relations_plan& plan) {
    for (const auto& key : plan.kept) {
        if (key.has_generated_name()) continue;
        const auto name = passing_name(key.name);
        SLUICE_TRY(
            const auto taken,
            subject.session.run("SELECT TABLE_NAME FROM information_schema.TABLE_CONSTRAINTS WHERE "
                                "CONSTRAINT_TYPE = 'FOREIGN KEY' AND CONSTRAINT_SCHEMA = " +
                                quote_string(key.child.schema) + " AND CONSTRAINT_NAME = " + quote_string(name)));
        if (taken.rows.empty()) continue;
        return refuse("foreign_key_name_taken",
                      "foreign key " + shown(key) + " would be named " + quote_identifier(name) +
                          " on the new table, and a key of table " + taken.rows[0][0].value_or("?") +
                          " has that name already: make one of them again under another name");
    }
    return {};
}

outcome<void> look_at_related(const relations_subject& subject, relations_plan& plan) {
    for (const auto& table : plan.related_tables) {
        auto described = describe_table(subject.session, table);
        if (described) {
            for (auto& pointed : plan.pointed) {
                if (pointed.key.child != table) continue;
                const auto* index = index_for(*described, pointed.key.child_columns);
                pointed.index = index == nullptr ? pointed.key.name : index->name;
            }
            continue;
        }
        if (described.error().code != "no_such_table") return std::move(described).error();
        return refuse("foreign_key_parent_missing",
                      quote_table(subject.spec.table) + " has a foreign key to " + quote_table(table) +
                          ", which does not exist, so that it cannot be locked for the cut-over: drop the key first");
    }
    return {};
}

outcome<void> check_related_privileges(const relations_subject& subject, const relations_plan& plan) {
    SLUICE_TRY(const auto grants, subject.session.run("SHOW GRANTS"));
    for (const auto& table : plan.related_tables) {
        const granted_privileges granted(grants, table.schema);
        std::string missing;
        for (const std::string_view name : {"SELECT", "LOCK TABLES", "ALTER", "REFERENCES"}) {
            if (!granted.has_on_schema(name)) missing.append(missing.empty() ? "" : ", ").append(name);
        }
        if (missing.empty()) continue;
        return refuse("foreign_key_privileges", "the account needs " + missing + " ON " +
                                                    quote_identifier(table.schema) +
                                                    ".* for the foreign keys between " +
                                                    quote_table(subject.spec.table) + " and " + quote_table(table));
    }
    return {};
}

void add_related(relations_plan& plan, const table_name& table) {
    if (std::find(plan.related_tables.begin(), plan.related_tables.end(), table) == plan.related_tables.end()) {
        plan.related_tables.push_back(table);
    }
}

outcome<std::vector<std::string>> renamed(const relations_subject& subject, const foreign_key& key,
                                          std::vector<std::string> columns) {
    for (auto& column : columns) {
        auto now = subject.alter.new_name_of(column);
        if (!now) {
            return refuse("foreign_keys", "the ALTER drops column " + quote_identifier(column) +
                                              ", which foreign key " + shown(key) + " needs: drop the key as well");
        }
        column = std::move(*now);
    }
    return columns;
}

/// What the ghost is to have of the table's own keys. The child (and the parent, of a key to itself) stays the original
/// here: the statements are made for the name that the ghost has at that moment.
outcome<void> keep_own(const relations_subject& subject, relations_plan& plan) {
    for (foreign_key key : plan.found.own) {
        const auto dropped = [&](const sql::alter_clause& clause) { return drops_foreign_key(clause, {key}); };
        if (std::any_of(subject.alter.clauses.begin(), subject.alter.clauses.end(), dropped)) continue;
        if (subject.spec.options.discard_foreign_keys) continue;
        if (!subject.spec.options.keep_foreign_keys) {
            return refuse("foreign_keys",
                          "table " + quote_table(subject.spec.table) +
                              " has foreign keys: " + all_shown(plan.found.own) +
                              ". Set keep_foreign_keys to carry them over, discard_foreign_keys to leave them behind, "
                              "or drop them in the ALTER");
        }
        if (key.refers_to_itself() && !subject.facts.family->self_references_follow_renames()) {
            return refuse("foreign_keys", "foreign key " + shown(key) +
                                              " refers to its own table, and on this server would go on to refer to a "
                                              "name that the new table has only during the cut-over: set "
                                              "discard_foreign_keys, or drop it for the time of the migration");
        }
        SLUICE_TRY(key.child_columns, renamed(subject, key, key.child_columns));
        if (key.refers_to_itself()) {
            SLUICE_TRY(key.parent_columns, renamed(subject, key, key.parent_columns));
        }
        plan.kept.push_back(std::move(key));
    }
    return {};
}

outcome<void> point_referencing(const relations_subject& subject, relations_plan& plan) {
    if (plan.found.referencing.empty()) return {};
    const std::string has = "foreign keys of other tables refer to " + quote_table(subject.spec.table) + ": " +
                            all_shown(plan.found.referencing);
    if (!subject.spec.options.rebuild_referencing_keys) {
        return refuse("referencing_foreign_keys",
                      has +
                          ". After the cut-over they would refer to the old table. Set rebuild_referencing_keys to "
                          "point them at the new one, or drop them for the time of the migration");
    }
    if (!subject.facts.family->rename_under_lock()) {
        return refuse("referencing_foreign_keys",
                      has +
                          ". They can be pointed at the new table only where RENAME TABLE works under LOCK TABLES "
                          "(MySQL 8.0.13 and newer): here there would be a moment in which they are not enforced. Drop "
                          "them for the time of the migration");
    }
    for (foreign_key key : plan.found.referencing) {
        SLUICE_TRY(key.parent_columns, renamed(subject, key, key.parent_columns));
        plan.pointed.push_back({std::move(key), {}});
    }
    return {};
}

}  // namespace

bool drops_foreign_key(const sql::alter_clause& clause, const std::vector<foreign_key>& own) {
    if (clause.kind != kind::drop_foreign_key && clause.kind != kind::drop_constraint) return false;
    return std::any_of(own.begin(), own.end(),
                       [&](const foreign_key& key) { return sql::equal_ignoring_case(key.name, clause.name); });
}

std::string body_without_foreign_keys(const sql::alter_statement& alter, const relations_plan& plan) {
    const auto leaves = [&](const sql::alter_clause& clause) { return drops_foreign_key(clause, plan.found.own); };
    if (std::none_of(alter.clauses.begin(), alter.clauses.end(), leaves)) return alter.body;
    std::string body;
    for (const auto& clause : alter.clauses) {
        if (leaves(clause)) continue;
        // Partitioning stands behind the list of clauses, without a comma.
        if (!body.empty()) body += clause.kind == kind::partition ? " " : ", ";
        body += clause.text;
    }
    return body;
}

outcome<void> plan_foreign_keys(const relations_subject& subject, relations_plan& plan) {
    const auto& options = subject.spec.options;
    if (options.keep_foreign_keys && options.discard_foreign_keys) {
        return refuse("foreign_key_options", "keep_foreign_keys and discard_foreign_keys exclude each other: set one");
    }
    SLUICE_TRY(plan.found, read_foreign_keys(subject.session, *subject.facts.family, subject.spec.table,
                                             subject.facts.lower_case_table_names));
    plan.kept.clear();
    plan.pointed.clear();
    plan.related_tables.clear();
    for (const auto& clause : subject.alter.clauses) {
        if (clause.kind != kind::drop_foreign_key || clause.conditional) continue;
        if (!drops_foreign_key(clause, plan.found.own)) {
            return refuse("bad_alter", "the clause \"" + clause.text + "\" names no foreign key of " +
                                           quote_table(subject.spec.table));
        }
    }
    if (plan.found.empty()) return {};
    SLUICE_TRY_VOID(check_cascades(subject, plan.found.own));
    SLUICE_TRY_VOID(keep_own(subject, plan));
    SLUICE_TRY_VOID(check_generated_names(subject, plan.found.own));
    SLUICE_TRY_VOID(check_passing_names(subject, plan));
    SLUICE_TRY_VOID(point_referencing(subject, plan));
    for (const auto& key : plan.found.own) {
        if (!key.refers_to_itself()) add_related(plan, key.parent);
    }
    for (const auto& key : plan.found.referencing) add_related(plan, key.child);
    SLUICE_TRY_VOID(look_at_related(subject, plan));
    return check_related_privileges(subject, plan);
}

}  // namespace sluice::migration

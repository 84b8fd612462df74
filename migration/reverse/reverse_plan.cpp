#include "migration/reverse/reverse_plan.hpp"

#include "migration/relations/plan_relations.hpp"
#include "migration/sql/identifier.hpp"
#include "migration/sql/table_statements.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace sluice::migration {
namespace {

// What the old table has to get again at a revert, from what the new one has then.
outcome<void> require_relations_return(const migration_plan& forward) {
    const relations_plan& relations = forward.relations;
    std::string lost;
    for (const foreign_key& key : relations.found.own) {
        const bool is_kept = std::any_of(relations.kept.begin(), relations.kept.end(),
                                         [&](const foreign_key& one) { return one.name == key.name; });
        if (!is_kept) lost += (lost.empty() ? "" : ", ") + shown(key);
    }
    if (lost.empty()) return {};
    return refuse("way_back_relations",
                  quote_table(forward.original) +
                      " loses foreign keys (discard_foreign_keys, or the ALTER drops them): " + lost +
                      ". Nobody would hold the rows that come afterwards to them, and at a revert they could not be "
                      "made again without reading the whole table under its lock. Keep them, or leave "
                      "keep_old_table_in_sync off");
}

bool is_dated(const column_description& column) { return column.data_type == "date" || column.data_type == "datetime"; }

/// A column of the old table that nothing fills any more: rows that have come since need a value.
outcome<void> require_value(const column_description& column, const conversion_settings& settings) {
    if (!is_dated(column) || column.nullable || column.default_value || !settings.no_zero_date) return {};
    return refuse("way_back_value", "column " + quote_identifier(column.name) +
                                        " is dropped, is NOT NULL and has no DEFAULT, and the server takes no zero "
                                        "dates: rows that come after the cut-over could not be given back to the old "
                                        "table. Give it a DEFAULT first, or leave keep_old_table_in_sync off");
}

failure reworded(failure why) {
    if (why.code == "unsupported_conversion") why.code = "way_back_conversion";
    if (why.code == "no_default_value") why.code = "way_back_value";
    why.message = "on the way back to the old definition (keep_old_table_in_sync): " + why.message;
    return why;
}

outcome<void> require_simple_key(const migration_plan& back, const table_description& old) {
    if (back.columns.kept.empty()) return {};
    const auto refuse_key = [&](const std::string& column, std::string_view why) {
        return refuse("way_back_key",
                      "the ALTER drops columns, whose values the old table keeps by the key, and key "
                      "column " +
                          quote_identifier(column) + " " + std::string(why) + ": leave keep_old_table_in_sync off");
    };
    for (const key_column& column : back.columns.key) {
        if (column.change == key_change::text) return refuse_key(column.ghost, "has another collation then");
        const auto* described = old.find_column(column.ghost);
        if (described != nullptr && described->generated) return refuse_key(column.ghost, "is generated");
    }
    return {};
}

}  // namespace

migration_plan names_of_way_back(const migration_plan& names) {
    migration_plan back = names;
    back.backwards = true;
    back.ghost = names.old_table;
    back.old_table = names.ghost;
    back.swap_ghost = names.swap_old;
    back.swap_old = names.swap_ghost;
    return back;
}

outcome<migration_plan> plan_way_back(const migration_plan& forward, const table_description& now,
                                      const table_description& old, const sql::alter_statement& alter,
                                      const conversion_settings& settings) {
    SLUICE_TRY_VOID(require_relations_return(forward));
    migration_plan back = names_of_way_back(forward);
    back.relations = {};
    back.explicit_auto_increment = false;
    back.original_description = now;
    back.original_description.name = back.original;
    back.ghost_description = old;
    back.ghost_description.name = back.ghost;
    auto mapping = map_columns_back(back.original_description, back.ghost_description, alter,
                                    {forward.options.allow_nullable_unique_key});
    if (!mapping) return reworded(std::move(mapping).error());
    back.mapping = std::move(mapping).value();
    for (const std::string& name : back.mapping.added) {
        SLUICE_TRY_VOID(require_value(*back.ghost_description.find_column(name), settings));
    }
    // Rows come at any time, not at that of an ALTER.
    conversion_settings timeless = settings;
    timeless.now.clear();
    auto columns = copy_columns_of(back.original_description, back.ghost_description, back.mapping, timeless);
    if (!columns) return reworded(std::move(columns).error());
    back.columns = std::move(columns).value();
    back.columns.kept = back.mapping.added;
    for (const std::string& name : back.columns.kept) {
        const auto& column = *back.ghost_description.find_column(name);
        if (!is_dated(column) || !is_current_timestamp(column) || settings.time_zone == "+00:00") continue;
        back.columns.columns.push_back(
            {{}, name, {"CONVERT_TZ(NOW(6), '+00:00', " + quote_string(settings.time_zone) + ")"}});
    }
    SLUICE_TRY_VOID(require_simple_key(back, back.ghost_description));
    return back;
}

void revert_when_told(migration_options& options) {
    options.cutover_window.clear();
    options.postpone_flag_file.clear();
}

std::map<std::string, std::string> former_trigger_names(const relations_plan& forward) {
    std::map<std::string, std::string> names;
    for (const planned_trigger& trigger : forward.made) names[trigger.new_name] = trigger.name;
    return names;
}

outcome<void> plan_relations_back(sql_session& session, const migration_spec& spec, const server_facts& facts,
                                  const std::map<std::string, std::string>& former_trigger_names,
                                  migration_plan& back) {
    migration_spec consenting = spec;
    consenting.options.include_triggers = true;
    consenting.options.remove_trigger_suffix = true;
    consenting.options.keep_foreign_keys = true;
    consenting.options.discard_foreign_keys = false;
    consenting.options.rebuild_referencing_keys = true;
    sql::alter_statement renames;
    for (const column_description& column : back.original_description.columns) {
        sql::alter_clause clause;
        clause.kind = sql::alter_clause_kind::drop_column;
        clause.name = column.name;
        for (const mapped_column& mapped : back.mapping.copied) {
            if (mapped.original != column.name) continue;
            clause.kind = sql::alter_clause_kind::rename_column;
            clause.new_name = mapped.ghost;
        }
        // A generated column is copied by nobody, and there all the same.
        const bool is_there = back.ghost_description.find_column(column.name) != nullptr;
        if (clause.kind == sql::alter_clause_kind::drop_column && is_there) continue;
        renames.clauses.push_back(std::move(clause));
    }
    const relations_subject subject{session, consenting, renames, facts, back.ghost.table, former_trigger_names};
    SLUICE_TRY_VOID(plan_triggers(subject, back.relations));
    return plan_foreign_keys(subject, back.relations);
}

std::string clause_of_swap(const migration_plan& forward) {
    if (forward.rename_under_lock) return swap_clause({forward.original, forward.ghost, forward.old_table});
    return swap_clause({forward.original, forward.swap_ghost, forward.swap_old});
}

}  // namespace sluice::migration

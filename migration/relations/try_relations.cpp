#include "migration/check/checks.hpp"
#include "migration/relations/plan_relations.hpp"
#include "migration/relations/read_relations.hpp"
#include "migration/relations/relation_steps.hpp"
#include "migration/sql/identifier.hpp"
#include "protocol/sql/lexer.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace sluice::migration {
namespace {

failure misfit(const foreign_key& key, const std::string& why) {
    return refuse("foreign_key_misfit", "foreign key " + shown(key) + " does not fit the new table: " + why);
}

/// The server compares a key's columns by type and sign, and texts by their collation; the length of a text may differ.
/// Both sides matched before, so what has not changed matches still.
bool compares_alike(const column_description& before, const column_description& after) {
    constexpr std::array with_any_length{std::string_view("char"), std::string_view("varchar"),
                                         std::string_view("binary"), std::string_view("varbinary")};
    if (before.data_type != after.data_type || before.collation != after.collation) return false;
    if (std::find(with_any_length.begin(), with_any_length.end(), after.data_type) != with_any_length.end())
        return true;
    return before.is_unsigned == after.is_unsigned && before.numeric_precision == after.numeric_precision &&
           before.numeric_scale == after.numeric_scale && before.fraction_digits == after.fraction_digits;
}

/// before, after: the key's columns on the original and, in the same order, on the ghost.
outcome<void> check_columns(const migration_plan& plan, const foreign_key& key, const std::vector<std::string>& before,
                            const std::vector<std::string>& after) {
    for (std::size_t i = 0; i < after.size() && i < before.size(); ++i) {
        const auto* was = plan.original_description.find_column(before[i]);
        const auto* is = plan.ghost_description.find_column(after[i]);
        if (is == nullptr) return misfit(key, "there is no column " + quote_identifier(after[i]));
        if (was == nullptr || !compares_alike(*was, *is)) {
            return misfit(key, "the ALTER changes the type of column " + quote_identifier(after[i]) +
                                   "; drop the key, alter both tables, and add it again");
        }
    }
    return {};
}

outcome<void> check_nullable(const migration_plan& plan, const foreign_key& key) {
    if ((key.rules & (delete_set_null | update_set_null)) == 0) return {};
    for (const auto& name : key.child_columns) {
        const auto* column = plan.ghost_description.find_column(name);
        if (column != nullptr && column->nullable) continue;
        return misfit(key, "it sets column " + quote_identifier(name) + " to NULL, which is NOT NULL now");
    }
    return {};
}

outcome<void> check_index(const migration_plan& plan, const foreign_key& key, const std::vector<std::string>& columns,
                          bool unique) {
    const auto* index = index_for(plan.ghost_description, columns);
    if (index == nullptr) {
        return misfit(key, "no index begins with its columns, in their order; add one in the ALTER");
    }
    if (!unique) return {};
    const bool found =
        std::any_of(plan.ghost_description.keys.begin(), plan.ghost_description.keys.end(), [&](const auto& candidate) {
            return candidate.unique && candidate.parts.size() == columns.size() &&
                   std::equal(columns.begin(), columns.end(), candidate.parts.begin(),
                              [](const std::string& column, const key_part& part) {
                                  return !part.prefix_length && sql::equal_ignoring_case(part.column, column);
                              });
        });
    // Since 8.4 the server takes no new key to columns that are not unique (restrict_fk_on_non_standard_key).
    if (!found) return misfit(key, "the columns that it refers to are no unique key of the table");
    return {};
}

outcome<void> check_keys_fit(const migration_plan& plan) {
    const relations_plan& relations = plan.relations;
    const auto original_of = [](const std::vector<foreign_key>& all, const foreign_key& one) {
        return std::find_if(all.begin(), all.end(),
                            [&](const foreign_key& key) { return key.name == one.name && key.child == one.child; });
    };
    for (const auto& key : relations.kept) {
        const auto was = original_of(relations.found.own, key);
        if (was == relations.found.own.end()) continue;
        SLUICE_TRY_VOID(check_columns(plan, key, was->child_columns, key.child_columns));
        SLUICE_TRY_VOID(check_nullable(plan, key));
        SLUICE_TRY_VOID(check_index(plan, key, key.child_columns, false));
        if (key.refers_to_itself()) {
            SLUICE_TRY_VOID(check_columns(plan, key, was->parent_columns, key.parent_columns));
            SLUICE_TRY_VOID(check_index(plan, key, key.parent_columns, true));
        }
    }
    for (const auto& [key, index] : relations.pointed) {
        const auto was = original_of(relations.found.referencing, key);
        if (was == relations.found.referencing.end()) continue;
        SLUICE_TRY_VOID(check_columns(plan, key, was->parent_columns, key.parent_columns));
        SLUICE_TRY_VOID(check_index(plan, key, key.parent_columns, true));
    }
    return {};
}

outcome<void> check_ghost_has_none(sql_session& session, const migration_plan& plan) {
    SLUICE_TRY(const auto made, read_foreign_keys(session, *plan.family, plan.ghost, plan.lower_case_table_names));
    if (made.own.empty()) return {};
    return refuse("unsupported_alter",
                  "the ALTER adds a foreign key: " + shown(made.own.front()) +
                      ". Until the cut-over it would hold up changes of the parent, and rows that break it could still "
                      "be written to the original; add it in a statement of its own");
}

outcome<void> try_triggers(sql_session& session, const migration_plan& plan) {
    if (plan.relations.made.empty()) return {};
    auto made = make_triggers(session, plan);
    // Dropped whether or not all of them could be made.
    SLUICE_TRY_VOID(drop_ghost_triggers(session, plan.ghost));
    if (made) return {};
    failure why = std::move(made).error();
    constexpr unsigned privilege_missing = 1227;
    if (why.server_errno == privilege_missing) {
        why.code = "trigger_privileges";
        why.message = "a trigger of " + quote_table(plan.original) +
                      " cannot be made for the new table: " + why.message + " (tried: " + why.attempted + ")";
        return why;
    }
    if (why.server_errno != 0 && why.then == disposition::abort) {
        why.code = "trigger_refused";
        why.message = "a trigger of " + quote_table(plan.original) +
                      " cannot be made for the new table: " + why.message + " (tried: " + why.attempted +
                      "). Where the ALTER drops or renames a column that it uses, drop the trigger first";
    }
    return why;
}

}  // namespace

outcome<void> try_relations(sql_session& session, const migration_plan& plan) {
    SLUICE_TRY_VOID(check_ghost_has_none(session, plan));
    SLUICE_TRY_VOID(check_keys_fit(plan));
    return try_triggers(session, plan);
}

}  // namespace sluice::migration

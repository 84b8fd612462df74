#include "migration/sql/delta_statements.hpp"

#include <algorithm>

#include "migration/sql/identifier.hpp"
#include "migration/sql/key_expression.hpp"

namespace sluice::migration {

namespace {

// The cut-over runs these under LOCK TABLES, which knows a table only by the name that was locked.
constexpr std::string_view no_alias;

[[nodiscard]] std::string lock_clause(read_lock lock) { return lock == read_lock::share ? " LOCK IN SHARE MODE" : ""; }

}  // namespace

std::string delta_delete_statement(const copy_columns& what, std::span<const std::string> keys, key_set_form form) {
    // The form with USING is the only one that takes FORCE INDEX. A server may still read the whole of a clustered
    // index that has hardly more rows than the batch has keys.
    return "DELETE FROM " + quote_table(what.ghost) + " USING " + keyed_table(what, no_alias, table_side::ghost) +
           " WHERE " + key_set_condition(what, keys, form, no_alias, table_side::ghost);
}

std::string delta_insert_statement(const copy_columns& what, std::span<const std::string> keys, key_set_form form,
                                   read_lock lock) {
    return insert_select(what, no_alias) + " FROM " + keyed_table(what, no_alias, table_side::original) + " WHERE " +
           key_set_condition(what, keys, form, no_alias, table_side::original) + lock_clause(lock);
}

bool has_two_equalities(const copy_columns& what) noexcept {
    return std::any_of(what.key.begin(), what.key.end(),
                       [](const key_column& column) { return column.change == key_change::text; });
}

std::string delta_insert_absent_statement(const copy_columns& what, std::span<const std::string> keys,
                                          key_set_form form, read_lock lock) {
    constexpr std::string_view original = "o";
    constexpr std::string_view ghost = "g";
    return insert_select(what, original) + " FROM " + keyed_table(what, original, table_side::original) +
           " LEFT JOIN " + keyed_table(what, ghost, table_side::ghost) + " ON " + same_key(what, original, ghost) +
           " WHERE " + key_set_condition(what, keys, form, original, table_side::original) + " AND " +
           is_absent(what, original, ghost) + lock_clause(lock);
}

std::string delta_delete_current_statement(const copy_columns& what, std::span<const std::string> keys,
                                           key_set_form form) {
    const auto& original = what.original.table;
    const auto& ghost = what.ghost.table;
    return "DELETE FROM " + quote_table(what.ghost) + " USING " + keyed_table(what, no_alias, table_side::ghost) +
           " JOIN " + keyed_table(what, no_alias, table_side::original) + " ON " + same_key(what, original, ghost) +
           " WHERE " + key_set_condition(what, keys, form, original, table_side::original);
}

std::string key_lookup_statement(const copy_columns& what, std::span<const std::string> keys, key_set_form form,
                                 bool of_ghost) {
    const auto side = of_ghost ? table_side::ghost : table_side::original;
    return "SELECT " + key_select_list_on(what, no_alias, side) + " FROM " + keyed_table(what, no_alias, side) +
           " WHERE " + key_set_condition(what, keys, form, no_alias, side);
}

}  // namespace sluice::migration

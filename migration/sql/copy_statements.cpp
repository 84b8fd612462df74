#include "migration/sql/copy_statements.hpp"

#include <string_view>

#include "migration/sql/identifier.hpp"
#include "migration/sql/key_expression.hpp"

namespace sluice::migration {

namespace {

constexpr std::string_view original_alias = "o";
constexpr std::string_view ghost_alias = "g";

/// The key is beyond (or before) the bound, spelled out column by column. beyond: '>' or '<'.
[[nodiscard]] std::string side_of_bound(const copy_columns& what, const key_literals& bound, char beyond,
                                        bool inclusive, std::string_view alias) {
    SLUICE_ASSERT(bound.size() == what.key.size() && !bound.empty());
    const auto column = [&](std::size_t i) { return column_reference(alias, what.key[i].original); };
    const std::string strict = std::string(" ") + beyond + ' ';
    const std::string open = std::string(" ") + beyond + "= ";
    if (bound.size() == 1) return column(0) + (inclusive ? open : strict) + bound[0];
    std::string condition = '(' + column(0) + open + bound[0] + " AND (";
    for (std::size_t last = 0; last < bound.size(); ++last) {
        if (last > 0) condition += " OR ";
        condition += '(';
        for (std::size_t i = 0; i < last; ++i) condition += column(i) + " = " + bound[i] + " AND ";
        const bool closes = inclusive && last + 1 == bound.size();
        condition += column(last) + (closes ? open : strict) + bound[last] + ')';
    }
    return condition + "))";
}

[[nodiscard]] std::string lock_clause(read_lock lock) { return lock == read_lock::share ? " LOCK IN SHARE MODE" : ""; }

[[nodiscard]] std::string key_order(const copy_columns& what, bool descending) {
    std::string order = " ORDER BY ";
    for (std::size_t i = 0; i < what.key.size(); ++i) {
        if (i > 0) order += ", ";
        order += column_reference(original_alias, what.key[i].original);
        if (descending) order += " DESC";
    }
    return order;
}

[[nodiscard]] std::string range_end_statement(const copy_columns& what, bool greatest, read_lock lock) {
    return "SELECT " + key_select_list(what, original_alias) + " FROM " +
           keyed_table(what, original_alias, table_side::original) + key_order(what, greatest) + " LIMIT 1" +
           lock_clause(lock);
}

}  // namespace

std::string key_select_list(const copy_columns& what, std::string_view alias) {
    return key_select_list_on(what, alias, table_side::original);
}

std::string range_condition(const copy_columns& what, const range_bounds& bounds, std::string_view alias) {
    std::string condition;
    if (bounds.lower) condition = side_of_bound(what, *bounds.lower, '>', bounds.lower_inclusive, alias);
    if (bounds.upper) {
        if (!condition.empty()) condition += " AND ";
        condition += side_of_bound(what, *bounds.upper, '<', true, alias);
    }
    return condition.empty() ? "1" : condition;
}

std::string copy_chunk_statement(const copy_columns& what, const range_bounds& bounds, read_lock lock,
                                 bool skip_present) {
    auto statement =
        insert_select(what, original_alias) + " FROM " + keyed_table(what, original_alias, table_side::original);
    // A LEFT JOIN along the ghost's key, because servers turn NOT EXISTS into an anti-join that they may run by reading
    // the whole ghost into a hash.
    if (skip_present) {
        statement += " LEFT JOIN " + keyed_table(what, ghost_alias, table_side::ghost) + " ON " +
                     same_key(what, original_alias, ghost_alias);
    }
    statement += " WHERE " + range_condition(what, bounds, original_alias);
    if (skip_present) statement += " AND " + is_absent(what, original_alias, ghost_alias);
    return statement + lock_clause(lock);
}

std::string chunk_bound_statement(const copy_columns& what, const range_bounds& bounds, std::size_t rows,
                                  read_lock lock) {
    SLUICE_ASSERT(rows > 0);
    return "SELECT " + key_select_list(what, original_alias) + " FROM " +
           keyed_table(what, original_alias, table_side::original) + " WHERE " +
           range_condition(what, bounds, original_alias) + key_order(what, false) + " LIMIT 1 OFFSET " +
           std::to_string(rows - 1) + lock_clause(lock);
}

std::string range_min_statement(const copy_columns& what, read_lock lock) {
    return range_end_statement(what, false, lock);
}

std::string range_max_statement(const copy_columns& what, read_lock lock) {
    return range_end_statement(what, true, lock);
}

std::string null_key_statement(const copy_columns& what, read_lock lock) {
    std::string condition;
    for (const auto& column : what.key) {
        if (!condition.empty()) condition += " OR ";
        condition += column_reference(original_alias, column.original) + " IS NULL";
    }
    return "SELECT 1 FROM " + keyed_table(what, original_alias, table_side::original) + " WHERE " + condition +
           " LIMIT 1" + lock_clause(lock);
}

}  // namespace sluice::migration

#include "migration/sql/comparison_statements.hpp"

#include <string_view>

#include "migration/sql/identifier.hpp"
#include "migration/sql/key_conversion.hpp"
#include "migration/sql/key_expression.hpp"

namespace sluice::migration {

namespace {

constexpr std::string_view original_alias = "o";
constexpr std::string_view ghost_alias = "g";
constexpr std::string_view scratch_alias = "s";

/// True (1) only of values that are stored alike, of NULL and NULL too; never NULL.
[[nodiscard]] std::string stored_alike(comparison_form form, const std::string& a, const std::string& b,
                                       bool has_json_sizes) {
    const auto same = [&](const std::string& before, const std::string& after) {
        return before + a + after + " <=> " + before + b + after;
    };
    switch (form) {
        case comparison_form::value: return same("", "");
        case comparison_form::floating:
            // 0 and -0 are equal; the text shows the sign.
            return '(' + same("", "") + " AND IFNULL(" + a + " <> 0 OR CONCAT(" + a + ") = CONCAT(" + b + "), 1))";
        // Not col+0: of a SET with more than 53 members that would be rounded.
        case comparison_form::ordinal: return same("CAST(", " AS UNSIGNED)");
        case comparison_form::json:
            // Equality tells dates from texts, the text 1 from 1.0, the type 1.0 from DECIMAL 1.0 at the top, and the
            // size below it. A size is of what is newly written: a stored document may have gaps by partial updates.
            return '(' + same("", "") + " AND " + same("CAST(", " AS BINARY)") + " AND " + same("JSON_TYPE(", ")") +
                   (has_json_sizes ? " AND " + same("JSON_STORAGE_SIZE(JSON_ARRAY(", "))") : std::string()) + ')';
        case comparison_form::bytes: return same("CAST(", " AS BINARY)");
    }
    return {};
}

[[nodiscard]] std::string scratch_key(std::size_t i) { return 'k' + std::to_string(i + 1); }
[[nodiscard]] std::string scratch_value(std::size_t i) { return 'c' + std::to_string(i + 1); }

/// `what` with the scratch table in the original's place: its key columns have the original's types.
[[nodiscard]] copy_columns scratch_as_original(const comparison_columns& what) {
    copy_columns renamed = what.columns;
    renamed.original = what.scratch;
    for (std::size_t i = 0; i < renamed.key.size(); ++i) renamed.key[i].original = scratch_key(i);
    return renamed;
}

/// The two rows are one: by the ghost's unique key, and by the original's where that tells more values apart.
/// from_ghost: written so that the original's index is used, else the ghost's.
/// as_value: for an expression rather than a join. There MariaDB takes a YEAR that WHERE holds to a constant for a
/// date: "Truncated incorrect datetime value: '2094'", and the equality is false.
[[nodiscard]] std::string keys_meet(const copy_columns& what, std::string_view alias, bool from_ghost = false,
                                    bool as_value = false) {
    std::string condition;
    for (const auto& column : what.key) {
        const auto original = column_reference(alias, column.original);
        const auto ghost = column_reference(ghost_alias, column.ghost);
        const auto by_ghost = ghost + " = " + as_ghost_key(column, original);
        const auto by_original = original + " = " + as_original_key(column, ghost);
        if (!condition.empty()) condition += " AND ";
        if (as_value && column.type == key_type::year) {
            condition.append(ghost).append(" + 0 = ").append(original).append(" + 0");
            continue;
        }
        condition += from_ghost ? by_original : by_ghost;
        if (column.change == key_change::text) condition.append(" AND ").append(from_ghost ? by_ghost : by_original);
    }
    return condition;
}

/// 1 if the ghost has the row and every column of the kind is the same, else 0. A comparison of the key, and not IS
/// NULL: that is also true of a DATE '0000-00-00' that may not be NULL.
[[nodiscard]] std::string row_is_same(const comparison_columns& what, const copy_columns& side, std::string_view alias,
                                      bool converted) {
    std::string condition = "IFNULL(" + keys_meet(side, alias, false, true);
    for (std::size_t i = 0; i < what.compared.size(); ++i) {
        const auto& one = what.compared[i];
        if (one.converted != converted) continue;
        condition += " AND " + stored_alike(one.form,
                                            column_reference(alias, converted ? scratch_value(i) : one.column.original),
                                            column_reference(ghost_alias, one.column.ghost), what.has_json_sizes);
    }
    return condition + ", 0)";
}

[[nodiscard]] std::string selection(const copy_columns& what, const row_selection& rows, std::string_view alias,
                                    table_side side) {
    if (!rows.keys.empty()) return key_set_condition(what, rows.keys, rows.form, alias, side);
    if (side == table_side::original) return range_condition(what, rows.bounds, alias);
    copy_columns by_ghost_names = what;
    for (auto& column : by_ghost_names.key) column.original = column.ghost;
    return range_condition(by_ghost_names, rows.bounds, alias);
}

[[nodiscard]] std::string count_of(const copy_columns& what, const row_selection& rows, table_side side) {
    const auto alias = side == table_side::original ? std::string_view("p") : std::string_view("h");
    return "(SELECT COUNT(*) FROM " + keyed_table(what, alias, side) + " WHERE " + selection(what, rows, alias, side) +
           ')';
}

[[nodiscard]] std::string original_to_ghost(const copy_columns& what) {
    return keyed_table(what, original_alias, table_side::original) + " LEFT JOIN " +
           keyed_table(what, ghost_alias, table_side::ghost) + " ON " + keys_meet(what, original_alias);
}

[[nodiscard]] std::string scratch_to_ghost(const comparison_columns& what, const copy_columns& side) {
    return quote_table(what.scratch) + " AS " + quote_identifier(scratch_alias) + " LEFT JOIN " +
           keyed_table(what.columns, ghost_alias, table_side::ghost) + " ON " + keys_meet(side, scratch_alias);
}

/// The ghost's key columns as the original would have them.
[[nodiscard]] std::string ghost_key_list(const copy_columns& what) {
    std::string list;
    for (const auto& column : what.key) {
        if (!list.empty()) list += ", ";
        list += key_selected(column.type, as_original_key(column, column_reference(ghost_alias, column.ghost)));
    }
    return list;
}

/// Along the key of the walk; as it comes where there is none.
[[nodiscard]] std::string walked_ghost(const copy_columns& walk) {
    if (!walk.key.empty()) return keyed_table(walk, ghost_alias, table_side::original);
    return quote_table(walk.original) + " AS " + quote_identifier(ghost_alias);
}

[[nodiscard]] std::string limit(std::size_t rows_max) { return " LIMIT " + std::to_string(rows_max); }

[[nodiscard]] std::string verdicts(const comparison_columns& what, const copy_columns& side, std::string_view alias,
                                   bool converted) {
    std::string list = key_select_list(side, alias) + ", IFNULL(" + keys_meet(side, alias, false, true) + ", 0)";
    for (std::size_t i = 0; i < what.compared.size(); ++i) {
        const auto& one = what.compared[i];
        if (one.converted != converted) continue;
        list +=
            ", " + stored_alike(one.form, column_reference(alias, converted ? scratch_value(i) : one.column.original),
                                column_reference(ghost_alias, one.column.ghost), what.has_json_sizes);
    }
    return list;
}

}  // namespace

std::string compare_rows_statement(const comparison_columns& what, const row_selection& rows) {
    const auto& columns = what.columns;
    const bool one_order = what.one_order || !rows.keys.empty();
    return "SELECT COUNT(*), COALESCE(SUM(" + row_is_same(what, columns, original_alias, false) + " = 0), 0), " +
           count_of(columns, rows, table_side::original) + ", " +
           (one_order ? count_of(columns, rows, table_side::ghost) : std::string("NULL")) + " FROM " +
           original_to_ghost(columns) + " WHERE " + selection(columns, rows, original_alias, table_side::original);
}

std::string differing_keys_statement(const comparison_columns& what, const row_selection& rows, std::size_t rows_max) {
    const auto& columns = what.columns;
    return "SELECT " + key_select_list(columns, original_alias) + " FROM " + original_to_ghost(columns) + " WHERE " +
           selection(columns, rows, original_alias, table_side::original) + " AND " +
           row_is_same(what, columns, original_alias, false) + " = 0" + limit(rows_max);
}

std::string surplus_keys_statement(const comparison_columns& what, const row_selection& rows, std::size_t rows_max) {
    const auto& columns = what.columns;
    const auto found = keys_meet(columns, original_alias, true);
    const bool of_keys = !rows.keys.empty() || what.one_order;
    const auto ghost = of_keys ? keyed_table(columns, ghost_alias, table_side::ghost) : walked_ghost(what.ghost_walk);
    const auto which = of_keys ? selection(columns, rows, ghost_alias, table_side::ghost)
                               : range_condition(what.ghost_walk, rows.bounds, ghost_alias);
    return "SELECT " + ghost_key_list(columns) + " FROM " + ghost + " LEFT JOIN " +
           keyed_table(columns, original_alias, table_side::original) + " ON " + found + " WHERE " + which +
           " AND IFNULL(" + keys_meet(columns, original_alias, true, true) + ", 0) = 0" + limit(rows_max);
}

std::string doubled_keys_statement(const comparison_columns& what, const row_selection& rows, std::size_t rows_max) {
    const auto& columns = what.columns;
    std::string grouped;
    for (const auto& column : columns.key) {
        grouped += (grouped.empty() ? "" : ", ") + column_reference(original_alias, column.original);
    }
    return "SELECT " + key_select_list(columns, original_alias) + " FROM " + original_to_ghost(columns) + " WHERE " +
           selection(columns, rows, original_alias, table_side::original) + " GROUP BY " + grouped +
           " HAVING COUNT(*) > 1" + limit(rows_max);
}

std::string create_scratch_statement(const comparison_columns& what) {
    std::string list;
    for (std::size_t i = 0; i < what.columns.key.size(); ++i) {
        if (!list.empty()) list += ", ";
        list +=
            column_reference(original_alias, what.columns.key[i].original) + " AS " + quote_identifier(scratch_key(i));
    }
    for (std::size_t i = 0; i < what.compared.size(); ++i) {
        if (!what.compared[i].converted) continue;
        list += ", " + column_reference(ghost_alias, what.compared[i].column.ghost) + " AS " +
                quote_identifier(scratch_value(i));
    }
    // A column of its own as the primary key, since servers may be set to want one.
    return "CREATE TEMPORARY TABLE " + quote_table(what.scratch) +
           " (`n` BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY) ENGINE=InnoDB SELECT " + list + " FROM " +
           quote_table(what.columns.original) + " AS " + quote_identifier(original_alias) + ", " +
           quote_table(what.columns.ghost) + " AS " + quote_identifier(ghost_alias) + " LIMIT 0";
}

std::string clear_scratch_statement(const comparison_columns& what) {
    return "TRUNCATE TABLE " + quote_table(what.scratch);
}

std::string fill_scratch_statement(const comparison_columns& what, const row_selection& rows) {
    const auto& columns = what.columns;
    std::string into;
    std::string from;
    for (std::size_t i = 0; i < columns.key.size(); ++i) {
        into += (into.empty() ? "" : ", ") + quote_identifier(scratch_key(i));
        from += (from.empty() ? "" : ", ") + column_reference(original_alias, columns.key[i].original);
    }
    for (std::size_t i = 0; i < what.compared.size(); ++i) {
        if (!what.compared[i].converted) continue;
        into += ", " + quote_identifier(scratch_value(i));
        from += ", " + copied_value(what.compared[i].column, original_alias);
    }
    return "INSERT INTO " + quote_table(what.scratch) + " (" + into + ") SELECT " + from + " FROM " +
           keyed_table(columns, original_alias, table_side::original) + " WHERE " +
           selection(columns, rows, original_alias, table_side::original);
}

std::string differing_conversions_statement(const comparison_columns& what, std::size_t rows_max) {
    const auto side = scratch_as_original(what);
    return "SELECT " + key_select_list(side, scratch_alias) + " FROM " + scratch_to_ghost(what, side) + " WHERE " +
           row_is_same(what, side, scratch_alias, true) + " = 0" + limit(rows_max);
}

std::string column_verdicts_statement(const comparison_columns& what, const row_selection& rows) {
    return "SELECT " + verdicts(what, what.columns, original_alias, false) + " FROM " +
           original_to_ghost(what.columns) + " WHERE " +
           selection(what.columns, rows, original_alias, table_side::original);
}

std::string conversion_verdicts_statement(const comparison_columns& what) {
    const auto side = scratch_as_original(what);
    return "SELECT " + verdicts(what, side, scratch_alias, true) + " FROM " + scratch_to_ghost(what, side);
}

}  // namespace sluice::migration

#include "migration/sql/key_expression.hpp"

#include <algorithm>

#include "migration/sql/identifier.hpp"
#include "migration/sql/key_conversion.hpp"
#include "migration/sql/key_literal.hpp"

namespace sluice::migration {

std::string column_reference(std::string_view alias, std::string_view column) {
    if (alias.empty()) return quote_identifier(column);
    return quote_identifier(alias) + '.' + quote_identifier(column);
}

const std::string& name_on(const key_column& column, table_side side) noexcept {
    return side == table_side::original ? column.original : column.ghost;
}

std::string key_selected(key_type type, const std::string& reference) {
    switch (type) {
        case key_type::text:
        case key_type::binary: return "HEX(" + reference + ')';
        case key_type::bit: return reference + "+0";
        // Not col+0, which is a DOUBLE and rounds a SET with more than 53 members.
        case key_type::ordinal: return "CAST(" + reference + " AS UNSIGNED)";
        case key_type::integer:
        case key_type::year:
        case key_type::decimal:
        case key_type::temporal: break;
    }
    return reference;
}

std::string copied_value(const copied_column& column, std::string_view alias) {
    if (column.original.empty()) return expression_of(column.pieces, {});
    return expression_of(column.pieces, column_reference(alias, column.original));
}

std::string key_select_list_on(const copy_columns& what, std::string_view alias, table_side side) {
    std::string list;
    for (const auto& column : what.key) {
        if (!list.empty()) list += ", ";
        list += key_selected(column.type, column_reference(alias, name_on(column, side)));
    }
    return list;
}

std::string keyed_table(const copy_columns& what, std::string_view alias, table_side side) {
    const bool original = side == table_side::original;
    const std::string as = alias.empty() ? std::string() : " AS " + quote_identifier(alias);
    return quote_table(original ? what.original : what.ghost) + as + " FORCE INDEX (" +
           quote_identifier(original ? what.original_index : what.ghost_index) + ')';
}

std::string insert_select(const copy_columns& what, std::string_view alias) {
    SLUICE_ASSERT(!what.columns.empty());
    std::string into;
    std::string from;
    for (const auto& column : what.columns) {
        if (!into.empty()) {
            into += ", ";
            from += ", ";
        }
        into += quote_identifier(column.ghost);
        from += copied_value(column, alias);
    }
    return "INSERT INTO " + quote_table(what.ghost) + " (" + into + ") SELECT " + from;
}

std::string same_key(const copy_columns& what, std::string_view original, std::string_view ghost) {
    std::string condition;
    for (const auto& column : what.key) {
        const auto before = column_reference(original, column.original);
        const auto after = column_reference(ghost, column.ghost);
        if (!condition.empty()) condition += " AND ";
        condition += after + " = " + as_ghost_key(column, before);
        if (column.change == key_change::text) condition += " AND " + as_original_key(column, after) + " = " + before;
    }
    return condition;
}

std::string is_absent(const copy_columns& what, std::string_view original, std::string_view ghost) {
    // Of a column that is never NULL; but "date IS NULL" is true of a DATE 0000-00-00 that may not be NULL.
    const auto& column = what.key.front();
    const auto after = column_reference(ghost, column.ghost);
    if (column.type != key_type::temporal) return after + " IS NULL";
    return "IFNULL(" + after + " = " + as_ghost_key(column, column_reference(original, column.original)) + ", 0) = 0";
}

namespace {

/// Whether `(a, b) IN ((1,2), (3,4))` finds what `a = 1 AND b = 2 OR ...` finds. It silently does not where the server
/// compares the members of the list in another way than the column: ENUM and SET against numbers (as text, so nothing
/// is ever equal; MySQL 5.6 to 9.7), and text against literals of another character set (MySQL 5.6, MariaDB).
[[nodiscard]] bool row_constructor_is_exact(const copy_columns& what, table_side side) noexcept {
    return std::none_of(what.key.begin(), what.key.end(), [&](const key_column& column) {
        return column.type == key_type::ordinal || (side == table_side::ghost && column.change != key_change::none);
    });
}

/// In the ghost, a text of another collation is found by the ghost's index, but is the row only if the original's
/// collation, too, calls it the key: 'a' must not take 'A' away.
[[nodiscard]] bool wants_identity(const key_column& column, table_side side) noexcept {
    return side == table_side::ghost && column.change == key_change::text;
}

[[nodiscard]] std::string side_literal(const key_column& column, table_side side, const std::string& literal) {
    return side == table_side::ghost ? ghost_literal(column, literal) : literal;
}

[[nodiscard]] std::string or_of_keys(const copy_columns& what, std::span<const std::string> keys,
                                     std::string_view alias, table_side side) {
    std::string condition;
    for (const auto& key : keys) {
        const auto literals = split_literals(key);
        SLUICE_ASSERT(literals.size() == what.key.size());
        condition += condition.empty() ? "((" : " OR (";
        for (std::size_t i = 0; i < literals.size(); ++i) {
            const auto& column = what.key[i];
            const auto reference = column_reference(alias, name_on(column, side));
            if (i > 0) condition += " AND ";
            condition += reference + " = " + side_literal(column, side, literals[i]);
            if (wants_identity(column, side)) {
                condition += " AND " + as_original_key(column, reference) + " = " + literals[i];
            }
        }
        condition += ')';
    }
    return condition + ')';
}

}  // namespace

std::string key_set_condition(const copy_columns& what, std::span<const std::string> keys, key_set_form form,
                              std::string_view alias, table_side side) {
    SLUICE_ASSERT(!keys.empty() && !what.key.empty());
    const bool composite = what.key.size() > 1;
    if (composite && (form == key_set_form::or_of_ands || !row_constructor_is_exact(what, side))) {
        return or_of_keys(what, keys, alias, side);
    }
    std::string columns;
    for (const auto& column : what.key) {
        if (!columns.empty()) columns += ", ";
        columns += column_reference(alias, name_on(column, side));
    }
    std::string condition = composite ? '(' + columns + ") IN (" : columns + " IN (";
    std::string originals;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        if (i > 0) condition += ',';
        condition += composite ? '(' + keys[i] + ')' : side_literal(what.key.front(), side, keys[i]);
        if (!composite && wants_identity(what.key.front(), side)) originals += (i > 0 ? "," : "") + keys[i];
    }
    condition += ')';
    // A row that is one key's by this collation and another's by that one is written again with the latter.
    if (!originals.empty())
        condition += " AND " + as_original_key(what.key.front(), columns) + " IN (" + originals + ')';
    return condition;
}

}  // namespace sluice::migration

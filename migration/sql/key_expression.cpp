#include "migration/sql/key_expression.hpp"

#include <algorithm>

#include "migration/sql/identifier.hpp"
#include "migration/sql/key_literal.hpp"

namespace sluice::migration {

std::string column_reference(std::string_view alias, std::string_view column) {
    if (alias.empty()) return quote_identifier(column);
    return quote_identifier(alias) + '.' + quote_identifier(column);
}

const std::string& name_on(const key_column& column, table_side side) noexcept {
    return side == table_side::original ? column.original : column.ghost;
}

std::string key_select_list_on(const copy_columns& what, std::string_view alias, table_side side) {
    std::string list;
    for (const auto& column : what.key) {
        if (!list.empty()) list += ", ";
        const auto reference = column_reference(alias, name_on(column, side));
        switch (column.type) {
            case key_type::text:
            case key_type::binary: list += "HEX(" + reference + ')'; break;
            case key_type::bit:
            case key_type::ordinal: list += reference + "+0"; break;
            case key_type::integer:
            case key_type::year:
            case key_type::decimal:
            case key_type::temporal: list += reference; break;
        }
    }
    return list;
}

std::string keyed_table(const copy_columns& what, std::string_view alias, table_side side) {
    const bool original = side == table_side::original;
    const std::string as = alias.empty() ? std::string() : " AS " + quote_identifier(alias);
    return quote_table(original ? what.original : what.ghost) + as + " FORCE INDEX (" +
           quote_identifier(original ? what.original_index : what.ghost_index) + ')';
}

namespace {

/// Whether `(a, b) IN ((1,2), (3,4))` finds what `a = 1 AND b = 2 OR ...` finds. It silently does not where the server
/// compares the members of the list in another way than the column: ENUM and SET against numbers (as text, so nothing
/// is ever equal; MySQL 5.6 to 9.7), and text against literals of another character set (MySQL 5.6, MariaDB).
[[nodiscard]] bool row_constructor_is_exact(const copy_columns& what, table_side side) noexcept {
    return std::none_of(what.key.begin(), what.key.end(), [&](const key_column& column) {
        const bool converted = side == table_side::ghost && column.type == key_type::text &&
                               !column.ghost_charset.empty() && column.ghost_charset != column.charset;
        return column.type == key_type::ordinal || converted;
    });
}

}  // namespace

std::string key_set_condition(const copy_columns& what, std::span<const std::string> keys, key_set_form form,
                              std::string_view alias, table_side side) {
    SLUICE_ASSERT(!keys.empty() && !what.key.empty());
    std::string condition;
    const bool composite = what.key.size() > 1;
    if (composite && (form == key_set_form::or_of_ands || !row_constructor_is_exact(what, side))) {
        for (const auto& key : keys) {
            const auto literals = split_literals(key);
            SLUICE_ASSERT(literals.size() == what.key.size());
            condition += condition.empty() ? "((" : " OR (";
            for (std::size_t i = 0; i < literals.size(); ++i) {
                if (i > 0) condition += " AND ";
                condition += column_reference(alias, name_on(what.key[i], side)) + " = " + literals[i];
            }
            condition += ')';
        }
        return condition + ')';
    }
    std::string columns;
    for (const auto& column : what.key) {
        if (!columns.empty()) columns += ", ";
        columns += column_reference(alias, name_on(column, side));
    }
    condition = composite ? '(' + columns + ") IN (" : columns + " IN (";
    for (std::size_t i = 0; i < keys.size(); ++i) {
        if (i > 0) condition += ',';
        condition += composite ? '(' + keys[i] + ')' : keys[i];
    }
    return condition + ')';
}

}  // namespace sluice::migration

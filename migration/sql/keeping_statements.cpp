#include "migration/sql/keeping_statements.hpp"

#include "migration/sql/identifier.hpp"
#include "migration/sql/key_expression.hpp"

#include <algorithm>
#include <string_view>

namespace sluice::migration {
namespace {

constexpr std::string_view known = "`_sluice_known`";  // the ghost has the row already
constexpr std::string_view no_alias;

bool is_kept(const copy_columns& what, const std::string& column) {
    return std::ranges::find(what.kept, column) != what.kept.end();
}

/// Columns of the ghost that are filled from the original.
std::vector<const copied_column*> travelling(const copy_columns& what) {
    std::vector<const copied_column*> columns;
    for (const copied_column& column : what.columns) {
        if (!is_kept(what, column.ghost)) columns.push_back(&column);
    }
    return columns;
}

std::string listed_names(const std::vector<const copied_column*>& columns) {
    std::string list;
    for (const auto* column : columns) list += (list.empty() ? "" : ", ") + quote_identifier(column->ghost);
    return list;
}

std::string kept_names(const copy_columns& what) {
    std::string list;
    for (const auto& column : what.kept) list += ", " + quote_identifier(column);
    return list;
}

std::string incoming(const copy_columns& what) { return quote_table(incoming_table(what)); }

/// The ghost's rows that come again. The server goes from the incoming rows to the ghost's key.
std::string joined(const copy_columns& what) {
    std::string text = incoming(what) + " STRAIGHT_JOIN " + keyed_table(what, no_alias, table_side::ghost) + " ON ";
    for (std::size_t i = 0; i < what.key.size(); ++i) {
        const std::string& column = what.key[i].ghost;
        text += (i == 0 ? "" : " AND ") + column_reference(what.ghost.table, column) + " = " +
                column_reference(incoming_table(what).table, column);
    }
    return text;
}

}  // namespace

table_name incoming_table(const copy_columns& what) { return {what.ghost.schema, "_sluice_incoming"}; }

std::string create_incoming_statement(const copy_columns& what) {
    // The join that finds nothing makes every column one that may be NULL.
    return "CREATE TEMPORARY TABLE IF NOT EXISTS " + incoming(what) + " ENGINE=InnoDB SELECT " +
           listed_names(travelling(what)) + kept_names(what) + ", 0 AS " + std::string(known) +
           " FROM (SELECT 1 AS one) AS nothing LEFT JOIN " + quote_table(what.ghost) + " ON FALSE LIMIT 0";
}

std::string empty_incoming_statement(const copy_columns& what) { return "DELETE FROM " + incoming(what); }

std::string fill_incoming_statement(const copy_columns& what, std::span<const std::string> keys, key_set_form form,
                                    read_lock lock) {
    const auto columns = travelling(what);
    std::string values;
    for (const auto* column : columns) values += copied_value(*column, no_alias) + ", ";
    // Outright, since to the server a column that was NOT NULL still has no default.
    for (std::size_t i = 0; i < what.kept.size(); ++i) values += "NULL, ";
    return "INSERT INTO " + incoming(what) + " (" + listed_names(columns) + kept_names(what) + ", " +
           std::string(known) + ") SELECT " + values + "0 FROM " + keyed_table(what, no_alias, table_side::original) +
           " WHERE " + key_set_condition(what, keys, form, no_alias, table_side::original) +
           (lock == read_lock::share ? " LOCK IN SHARE MODE" : "");
}

std::vector<std::string> place_incoming_statements(const copy_columns& what) {
    const std::string from = incoming(what);
    const std::string ghost = quote_table(what.ghost);
    std::string fetched = from + "." + std::string(known) + " = 1";
    for (const auto& column : what.kept) {
        fetched += ", " + column_reference(incoming_table(what).table, column) + " = " +
                   column_reference(what.ghost.table, column);
    }
    const auto columns = travelling(what);
    std::string begun;
    std::string values;
    for (const auto& column : what.columns) {
        begun += (begun.empty() ? "" : ", ") + quote_identifier(column.ghost);
        values += (values.empty() ? "" : ", ") +
                  (is_kept(what, column.ghost) ? copied_value(column, no_alias) : quote_identifier(column.ghost));
    }
    const std::string all = listed_names(columns) + kept_names(what);
    return {"UPDATE " + joined(what) + " SET " + fetched, "DELETE FROM " + ghost + " USING " + joined(what),
            "INSERT INTO " + ghost + " (" + all + ") SELECT " + all + " FROM " + from + " WHERE " + std::string(known) +
                " = 1",
            "INSERT INTO " + ghost + " (" + begun + ") SELECT " + values + " FROM " + from + " WHERE " +
                std::string(known) + " = 0"};
}

}  // namespace sluice::migration

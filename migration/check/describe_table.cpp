#include "migration/check/checks.hpp"
#include "migration/check/named_cells.hpp"
#include "migration/family/server_family.hpp"
#include "migration/sql/identifier.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

namespace sluice::migration {
namespace {

/// All views of information_schema that are read here name the table in the same columns.
std::string rows_about(std::string_view view, const table_name& name, std::string_view order) {
    std::string sql = "SELECT * FROM information_schema.";
    sql.append(view).append(" WHERE TABLE_SCHEMA = ").append(quote_string(name.schema));
    sql.append(" AND TABLE_NAME = ").append(quote_string(name.table));
    return order.empty() ? sql : sql.append(" ORDER BY ").append(order);
}

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

std::string lower(std::string text) {
    std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

column_description column_of(const server_family& family, const named_cells& row) {
    column_description column;
    column.name = row.text("COLUMN_NAME");
    column.data_type = lower(row.text("DATA_TYPE"));
    column.column_type = row.text("COLUMN_TYPE");
    column.charset = row.text("CHARACTER_SET_NAME");
    column.collation = row.text("COLLATION_NAME");
    column.char_length_max = row.number("CHARACTER_MAXIMUM_LENGTH").value_or(0);
    column.octet_length_max = row.number("CHARACTER_OCTET_LENGTH").value_or(0);
    column.numeric_precision = static_cast<unsigned>(row.number("NUMERIC_PRECISION").value_or(0));
    column.numeric_scale = static_cast<unsigned>(row.number("NUMERIC_SCALE").value_or(0));
    column.fraction_digits = static_cast<unsigned>(row.number("DATETIME_PRECISION").value_or(0));
    const bool is_list = column.data_type == "enum" || column.data_type == "set";  // whose members may be any text
    column.is_unsigned = !is_list && contains(column.column_type, "unsigned");
    column.nullable = row.text("IS_NULLABLE") == "YES";
    const auto extra = lower(row.text("EXTRA"));
    column.auto_increment = contains(extra, "auto_increment");
    family.describe_specials(row, column);
    column.stored = column.generated && contains(extra, "stored generated");
    if (column.generated) column.generation_expression = row.text("GENERATION_EXPRESSION");
    return column;
}

key_part part_of(const named_cells& row) {
    key_part part;
    part.column = row.text("COLUMN_NAME");  // NULL for an expression
    part.prefix_length = row.number("SUB_PART");
    part.descending = row.text("COLLATION") == "D";
    return part;
}

std::vector<key_description> keys_of(const server_family& family, const query_result& statistics) {
    std::vector<key_description> keys;
    for (std::size_t i = 0; i < statistics.rows.size(); ++i) {
        const named_cells row(statistics, i);
        auto name = row.text("INDEX_NAME");
        if (keys.empty() || keys.back().name != name) {
            auto& key = keys.emplace_back();
            key.name = std::move(name);
            key.unique = row.text("NON_UNIQUE") == "0";
            key.visible = family.is_visible_index(row);
            key.index_type = row.text("INDEX_TYPE");
        }
        keys.back().parts.push_back(part_of(row));
    }
    return keys;
}

/// Only SHOW INDEX tells the order in which the server itself holds the keys; STATISTICS is sorted by name.
void order_as_listed(std::vector<key_description>& keys, const query_result& listed) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < listed.rows.size(); ++i) names.push_back(named_cells(listed, i).text("Key_name"));
    std::ranges::stable_sort(keys, {}, [&](const key_description& key) { return std::ranges::find(names, key.name); });
}

}  // namespace

outcome<table_description> describe_table(sql_session& session, const table_name& name) {
    SLUICE_TRY_VOID(check_identifier(name.schema));
    SLUICE_TRY_VOID(check_identifier(name.table));
    SLUICE_TRY(const auto family, family_of(session));
    SLUICE_TRY(const auto tables, session.run(rows_about("TABLES", name, "")));
    if (tables.rows.empty()) {
        return refuse("no_such_table",
                      "table " + quote_table(name) + " does not exist, or the account has no privilege on it");
    }
    const named_cells table(tables, 0);
    if (const auto type = table.text("TABLE_TYPE"); type != "BASE TABLE") {
        return refuse("not_a_table", quote_table(name) + " is a " + type + "; only base tables can be migrated");
    }
    table_description description;
    description.name = name;
    description.engine = table.text("ENGINE");
    description.rows_estimate = table.number("TABLE_ROWS").value_or(0);
    description.data_bytes = table.number("DATA_LENGTH").value_or(0);
    description.auto_increment = table.number("AUTO_INCREMENT");

    SLUICE_TRY(const auto created, session.run("SHOW CREATE TABLE " + quote_table(name)));
    if (!created.rows.empty()) description.create_statement = named_cells(created, 0).text("Create Table");

    SLUICE_TRY(const auto columns, session.run(rows_about("COLUMNS", name, "ORDINAL_POSITION")));
    for (std::size_t i = 0; i < columns.rows.size(); ++i)
        description.columns.push_back(column_of(*family, named_cells(columns, i)));

    SLUICE_TRY(const auto statistics, session.run(rows_about("STATISTICS", name, "INDEX_NAME, SEQ_IN_INDEX")));
    description.keys = keys_of(*family, statistics);
    SLUICE_TRY(const auto listed, session.run("SHOW INDEX FROM " + quote_table(name)));
    order_as_listed(description.keys, listed);
    return description;
}

}  // namespace sluice::migration

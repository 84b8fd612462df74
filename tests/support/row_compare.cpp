#include "tests/support/row_compare.hpp"

#include <map>
#include <utility>

namespace sluice::test {
namespace {

std::string quoted(const std::string& name) {
    std::string result = "`";
    for (const char c : name) result += c == '`' ? std::string("``") : std::string(1, c);
    return result + "`";
}

// HEX() of a number would go by its value and lose fractions; of a text converted first, by the bytes stored.
std::string select(const std::string& table, const std::vector<std::string>& columns,
                   const std::map<std::string, std::string>& expressions) {
    std::string statement = "SELECT ";
    for (std::size_t i = 0; i < columns.size(); ++i) {
        if (i > 0) statement += ", ";
        const auto own = expressions.find(columns[i]);
        statement += "HEX(CAST(" + (own == expressions.end() ? quoted(columns[i]) : own->second) + " AS BINARY))";
    }
    return statement + " FROM " + table;
}

std::string shown(const cell& value) { return value ? "0x" + *value : std::string("NULL"); }

std::string shown(const row& values) {
    std::string result;
    for (const auto& value : values) result += (result.empty() ? "" : ", ") + shown(value);
    return "(" + result + ")";
}

std::map<row, row> by_key(sql_connection& connection, const std::string& statement,
                          const std::vector<std::size_t>& key_positions, std::size_t& row_count,
                          std::vector<std::string>& differences, const char* side) {
    std::map<row, row> result;
    for (auto& values : connection.query(statement)) {
        ++row_count;
        row key;
        for (const auto position : key_positions) key.push_back(values[position]);
        const auto [place, added] = result.emplace(key, std::move(values));
        if (!added) differences.push_back(std::string(side) + " has key " + shown(place->first) + " twice");
    }
    return result;
}

}  // namespace

comparison compare_rows(table_side left, table_side right, const comparison_options& options) {
    std::vector<std::string> columns = options.columns;
    if (columns.empty()) {
        left.connection.query("SELECT * FROM " + left.table + " LIMIT 0");
        columns = left.connection.column_names();
    }
    const std::map<std::string, std::string> renamed(options.renamed.begin(), options.renamed.end());
    std::vector<std::string> right_columns;
    for (const auto& column : columns) {
        const auto other = renamed.find(column);
        right_columns.push_back(other == renamed.end() ? column : other->second);
    }
    std::vector<std::size_t> key_positions;
    for (const auto& name : options.key) {
        std::size_t position = 0;
        while (position < columns.size() && columns[position] != name) ++position;
        if (position == columns.size()) throw sql_error(0, "00000", "the key column is not compared: " + name);
        key_positions.push_back(position);
    }
    if (key_positions.empty()) throw sql_error(0, "00000", "compare_rows() needs a key");

    comparison result;
    const auto add = [&](std::string text) {
        if (result.differences.size() < options.differences_max) result.differences.push_back(std::move(text));
    };
    const auto left_rows = by_key(left.connection, select(left.table, columns, options.expressions), key_positions,
                                  result.rows_left, result.differences, "left");
    const auto right_rows = by_key(right.connection, select(right.table, right_columns, options.expressions),
                                   key_positions, result.rows_right, result.differences, "right");
    for (const auto& [key, values] : left_rows) {
        const auto other = right_rows.find(key);
        if (other == right_rows.end()) {
            add("only left: " + shown(values));
        } else if (other->second != values) {
            for (std::size_t i = 0; i < columns.size(); ++i) {
                if (values[i] == other->second[i]) continue;
                add("key " + shown(key) + ", column " + columns[i] + ": left " + shown(values[i]) + ", right " +
                    shown(other->second[i]));
            }
        }
    }
    for (const auto& [key, values] : right_rows) {
        if (!left_rows.contains(key)) add("only right: " + shown(values));
    }
    return result;
}

std::string comparison::text() const {
    std::string result = std::to_string(rows_left) + " rows left, " + std::to_string(rows_right) + " rows right";
    for (const auto& difference : differences) result += "\n" + difference;
    return result;
}

}  // namespace sluice::test

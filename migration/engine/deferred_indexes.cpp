#include "migration/engine/deferred_indexes.hpp"

#include "migration/sql/identifier.hpp"

#include <algorithm>
#include <string_view>

namespace sluice::migration {
namespace {

bool needed_by_auto_increment(const table_description& table, const key_description& key) {
    return std::any_of(table.columns.begin(), table.columns.end(), [&key](const column_description& column) {
        return column.auto_increment && !key.parts.empty() && key.parts.front().column == column.name;
    });
}

// The line of SHOW CREATE TABLE that defines the index, without indentation and trailing comma; empty if not found.
std::string definition_of(const table_description& table, const std::string& index) {
    const std::string begin = "\n  KEY " + quote_identifier(index) + " (";
    const auto place = table.create_statement.find(begin);
    if (place == std::string::npos) return {};
    const auto from = place + 3;
    const auto to = table.create_statement.find('\n', from);
    std::string line = table.create_statement.substr(from, to == std::string::npos ? to : to - from);
    if (!line.empty() && line.back() == ',') line.pop_back();
    return line;
}

std::string index_clauses(const table_name& table, const std::vector<deferred_index>& indexes, std::string_view verb,
                          std::string deferred_index::*what, bool quoted) {
    std::string sql = "ALTER TABLE " + quote_table(table);
    const char* separator = " ";
    for (const deferred_index& index : indexes) {
        sql += separator;
        sql += verb;
        sql += quoted ? quote_identifier(index.*what) : index.*what;
        separator = ", ";
    }
    return sql;
}

}  // namespace

std::vector<deferred_index> deferrable_indexes(const table_description& ghost, std::string_view needed) {
    struct candidate {
        std::size_t place;  ///< in SHOW CREATE TABLE
        const key_description* key;
    };
    std::vector<candidate> in_order;
    for (const key_description& key : ghost.keys) {
        // The server keeps fulltext indexes behind all others by itself.
        if (key.unique || key.index_type == "FULLTEXT") continue;
        in_order.push_back({ghost.create_statement.find("KEY " + quote_identifier(key.name) + " ("), &key});
    }
    std::ranges::sort(in_order, {}, &candidate::place);
    // An index that is built later comes to stand last: one that stays in front of others cannot be deferred, or the
    // order of the definition would change.
    std::vector<deferred_index> found;
    for (auto one = in_order.rbegin(); one != in_order.rend(); ++one) {
        const key_description& key = *one->key;
        if (key.index_type != "BTREE" || key.name == needed || needed_by_auto_increment(ghost, key)) break;
        std::string definition = definition_of(ghost, key.name);
        if (definition.empty()) break;
        found.insert(found.begin(), {key.name, std::move(definition)});
    }
    return found;
}

std::string drop_indexes_statement(const table_name& table, const std::vector<deferred_index>& indexes) {
    return index_clauses(table, indexes, "DROP INDEX ", &deferred_index::name, true);
}

std::string add_indexes_statement(const table_name& table, const std::vector<deferred_index>& indexes) {
    return index_clauses(table, indexes, "ADD ", &deferred_index::definition, false);
}

}  // namespace sluice::migration

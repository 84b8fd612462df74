#include "migration/relations/foreign_key.hpp"

#include "migration/sql/artefact_names.hpp"
#include "migration/sql/identifier.hpp"
#include "protocol/sql/lexer.hpp"

#include <algorithm>

namespace sluice::migration {
namespace {

constexpr std::string_view generated_infix = "_ibfk_";

/// The rule for one kind of change; empty for RESTRICT, which is nobody's bit.
std::string rule_text(unsigned rules, unsigned cascade, unsigned set_null, unsigned no_action) {
    if ((rules & cascade) != 0) return "CASCADE";
    if ((rules & set_null) != 0) return "SET NULL";
    return (rules & no_action) != 0 ? "NO ACTION" : "RESTRICT";
}

std::string column_list(const std::vector<std::string>& columns) {
    std::string list;
    for (const auto& column : columns) list += (list.empty() ? "(" : ", ") + quote_identifier(column);
    return list + ")";
}

std::string references(const foreign_key& key) {
    return column_list(key.child_columns) + " REFERENCES " + quote_table(key.parent) + ' ' +
           column_list(key.parent_columns) + ' ' + rules_text(key);
}

}  // namespace

bool foreign_key::changes_child() const {
    return (rules & (delete_cascade | delete_set_null | update_cascade | update_set_null)) != 0;
}

bool foreign_key::has_generated_name() const {
    if (!name.starts_with(child.table)) return false;
    const auto rest = std::string_view(name).substr(child.table.size());
    return rest.starts_with(generated_infix) && rest.size() > generated_infix.size() &&
           std::all_of(rest.begin() + static_cast<std::ptrdiff_t>(generated_infix.size()), rest.end(),
                       [](char c) { return c >= '0' && c <= '9'; });
}

std::string rules_text(const foreign_key& key) {
    return "ON DELETE " + rule_text(key.rules, delete_cascade, delete_set_null, delete_no_action) + " ON UPDATE " +
           rule_text(key.rules, update_cascade, update_set_null, update_no_action);
}

std::string shown(const foreign_key& key) {
    std::string text = quote_identifier(key.name) + " (" + quote_table(key.child) + " to " + quote_table(key.parent);
    if ((key.rules & (delete_cascade | delete_set_null)) != 0) {
        text += ", ON DELETE " + rule_text(key.rules, delete_cascade, delete_set_null, delete_no_action);
    }
    if ((key.rules & (update_cascade | update_set_null)) != 0) {
        text += ", ON UPDATE " + rule_text(key.rules, update_cascade, update_set_null, update_no_action);
    }
    return text + ")";
}

std::string generated_name_on(const foreign_key& key, std::string_view table) {
    SLUICE_ASSERT(key.has_generated_name());
    return std::string(table) + key.name.substr(key.child.table.size());
}

std::string passing_name(std::string_view name) {
    if (name.size() > 1 && name.front() == '_') return std::string(name.substr(1));
    if (character_count(name) < identifier_characters_max) return '_' + std::string(name);
    // A name that is as long as a name may be: the same shortening as for tables.
    return artefact_names_of(name).ghost;
}

std::string add_clause(const foreign_key& key) {
    return "ADD CONSTRAINT " + quote_identifier(key.name) + " FOREIGN KEY " + references(key);
}

std::string add_unnamed_clause(const foreign_key& key, std::string_view index) {
    return "ADD FOREIGN KEY " + quote_identifier(index) + ' ' + references(key);
}

std::string drop_clause(std::string_view name) { return "DROP FOREIGN KEY " + quote_identifier(name); }

std::string alter_keys_statement(const table_name& table, const std::vector<std::string>& clauses) {
    SLUICE_ASSERT(!clauses.empty());
    std::string sql = "ALTER TABLE " + quote_table(table) + ' ';
    for (const auto& clause : clauses) sql += clause + ", ";
    return sql + "ALGORITHM=INPLACE";
}

const key_description* index_for(const table_description& table, const std::vector<std::string>& columns) {
    for (const auto& key : table.keys) {
        if (key.parts.size() < columns.size()) continue;
        const auto serves = [](const key_part& part, const std::string& column) {
            return !part.prefix_length && sql::equal_ignoring_case(part.column, column);
        };
        if (std::equal(columns.begin(), columns.end(), key.parts.begin(),
                       [&](const std::string& column, const key_part& part) { return serves(part, column); })) {
            return &key;
        }
    }
    return nullptr;
}

}  // namespace sluice::migration

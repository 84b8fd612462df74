#include "migration/check/granted_privileges.hpp"
#include "migration/check/named_cells.hpp"
#include "migration/relations/read_relations.hpp"
#include "migration/sql/identifier.hpp"

#include <algorithm>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

namespace sluice::migration {
namespace {

/// A table in InnoDB's list: "schema/table", on some servers encoded as for a file name (`@0020` for a space).
outcome<std::string> name_in_list(sql_session& session, const server_family& family, const table_name& table) {
    if (!family.encodes_foreign_key_tables()) return table.schema + '/' + table.table;
    std::string listed;
    for (const auto& part : {table.schema, table.table}) {
        SLUICE_TRY(const query_result encoded,
                   session.run("SELECT HEX(CONVERT(_utf8 0x" + to_hex(part) + " USING filename))"));
        if (!listed.empty()) listed += '/';
        const std::string hex = encoded.rows.empty() ? "" : encoded.rows[0][0].value_or("");
        for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
            listed += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
        }
    }
    return listed;
}

failure unclear(const std::string& name) {
    return refuse("foreign_key_unclear", "a foreign key with the table \"" + name +
                                             "\" is in the way: its schema and name cannot be told apart; drop the "
                                             "key for the time of the migration");
}

outcome<table_name> table_in_list(sql_session& session, const server_family& family, const std::string& listed) {
    const auto slash = listed.find('/');
    if (slash == std::string::npos || listed.find('/', slash + 1) != std::string::npos) return unclear(listed);
    table_name table{listed.substr(0, slash), listed.substr(slash + 1)};
    if (family.encodes_foreign_key_tables() && listed.find('@') != std::string::npos) {
        SLUICE_TRY(const query_result decoded,
                   session.run("SELECT CONVERT(_filename 0x" + to_hex(table.schema) +
                               " USING utf8mb4), CONVERT(_filename 0x" + to_hex(table.table) + " USING utf8mb4)"));
        if (decoded.rows.empty() || decoded.rows[0].size() < 2) return unclear(listed);
        table = {decoded.rows[0][0].value_or(""), decoded.rows[0][1].value_or("")};
    }
    if (check_identifier(table.schema).has_error() || check_identifier(table.table).has_error()) return unclear(listed);
    return table;
}

std::string list_query(std::string_view view, const std::string& listed, int lower_case_table_names) {
    const auto name = quote_string(listed);
    // Collations would find more than the server's own comparison of names does.
    const auto is_table = [&](const std::string& column) {
        return lower_case_table_names == 0 ? "CAST(" + column + " AS BINARY) = CAST(" + name + " AS BINARY)"
                                           : "LOWER(" + column + ") = LOWER(" + name + ")";
    };
    return "SELECT ID, FOR_NAME, REF_NAME, TYPE, " + is_table("FOR_NAME") + " AS is_child, " + is_table("REF_NAME") +
           " AS is_parent FROM information_schema." + std::string(view) + " WHERE " + is_table("FOR_NAME") + " OR " +
           is_table("REF_NAME");
}

struct found_key {
    std::string id;  ///< by which its columns are found
    foreign_key key;
    bool is_own = false;
};

void add_columns(std::vector<found_key>& keys, std::string_view id, const named_cells& row, const char* child_column,
                 const char* parent_column) {
    // Exactly: the server's comparison in the query may have found others as well.
    const auto place = std::find_if(keys.begin(), keys.end(), [&](const found_key& one) { return one.id == id; });
    if (place == keys.end()) return;
    place->key.child_columns.push_back(row.text(child_column));
    place->key.parent_columns.push_back(row.text(parent_column));
}

foreign_keys sorted_out(std::vector<found_key> found) {
    // A constraint's name is unique in the schema of its table: whichever way they were read, the order is the same.
    std::sort(found.begin(), found.end(), [](const found_key& a, const found_key& b) {
        return std::tie(a.key.child.schema, a.key.name) < std::tie(b.key.child.schema, b.key.name);
    });
    foreign_keys keys;
    for (found_key& one : found) {
        if (one.key.child_columns.empty()) continue;  // dropped between the two queries
        (one.is_own ? keys.own : keys.referencing).push_back(std::move(one.key));
    }
    return keys;
}

/// Reads the list from its beginning to its end: milliseconds for thousands of keys, and on MySQL 8 and newer, where it
/// is a view that joins without an index, tens of them.
outcome<std::vector<found_key>> read_from_list(sql_session& session, const server_family& family,
                                               const table_name& table, int lower_case_table_names) {
    SLUICE_TRY(const std::string listed, name_in_list(session, family, table));
    const std::string view(family.foreign_keys_view());
    SLUICE_TRY(const query_result found, session.run(list_query(view, listed, lower_case_table_names)));
    std::vector<found_key> keys;
    std::string ids;
    for (std::size_t i = 0; i < found.rows.size(); ++i) {
        const named_cells row(found, i);
        const bool is_child = row.text("is_child") == "1";
        const auto child_in_list = row.text("FOR_NAME");
        found_key one{row.text("ID"), {}, is_child};
        foreign_key& key = one.key;
        key.child = table;
        key.parent = table;
        if (!is_child) {
            SLUICE_TRY(key.child, table_in_list(session, family, child_in_list));
        }
        if (row.text("is_parent") != "1") {
            SLUICE_TRY(key.parent, table_in_list(session, family, row.text("REF_NAME")));
        }
        // The constraint belongs to the child's schema, whose name stands before its own.
        const auto schema_bytes = is_child ? listed.find('/') : child_in_list.find('/');
        const auto schema = (is_child ? listed : child_in_list).substr(0, schema_bytes);
        key.name =
            one.id.starts_with(schema + '/') ? one.id.substr(schema.size() + 1) : one.id.substr(one.id.find('/') + 1);
        key.rules = static_cast<unsigned>(row.number("TYPE").value_or(0));
        ids += (ids.empty() ? "" : ", ") + quote_string(one.id);
        keys.push_back(std::move(one));
    }
    if (keys.empty()) return keys;
    SLUICE_TRY(const query_result columns,
               session.run("SELECT ID, FOR_COL_NAME, REF_COL_NAME FROM information_schema." + view +
                           "_COLS WHERE ID IN (" + ids + ") ORDER BY ID, POS"));
    for (std::size_t i = 0; i < columns.rows.size(); ++i) {
        const named_cells row(columns, i);
        add_columns(keys, row.text("ID"), row, "FOR_COL_NAME", "REF_COL_NAME");
    }
    return keys;
}

/// The account sees every table of the server, and so every key in the views that are filtered by what an account may
/// see. That holds for tables that are still to come, too.
outcome<bool> sees_every_table(sql_session& session) {
    SLUICE_TRY(const query_result grants, session.run("SHOW GRANTS"));
    const bool has_revokes = std::any_of(grants.rows.begin(), grants.rows.end(), [](const auto& row) {
        return !row.empty() && row[0].value_or("").starts_with("REVOKE");
    });
    return !has_revokes && granted_privileges(grants, "").has_global("SELECT");
}

unsigned rule_of(std::string_view text, unsigned cascade, unsigned set_null, unsigned no_action) {
    if (text == "CASCADE") return cascade;
    if (text == "SET NULL") return set_null;
    return text == "NO ACTION" ? no_action : 0;
}

/// By the indexes of the data dictionary: less than a millisecond, however many keys the server has. (A condition on
/// CONSTRAINT_SCHEMA finds the keys of the table, one on UNIQUE_CONSTRAINT_CATALOG and the two names those to it.)
std::string dictionary_query(const table_name& table) {
    const auto schema = quote_string(table.schema);
    const auto name = quote_string(table.table);
    const std::string is_child = "CONSTRAINT_SCHEMA = " + schema + " AND TABLE_NAME = " + name;
    const std::string is_parent = "UNIQUE_CONSTRAINT_SCHEMA = " + schema + " AND REFERENCED_TABLE_NAME = " + name;
    const std::string select =
        "SELECT CONSTRAINT_SCHEMA, CONSTRAINT_NAME, TABLE_NAME, UNIQUE_CONSTRAINT_SCHEMA, REFERENCED_TABLE_NAME, "
        "DELETE_RULE, UPDATE_RULE, " +
        is_child + " AS is_child, " + is_parent +
        " AS is_parent FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE ";
    return select + is_child + " UNION " + select + "UNIQUE_CONSTRAINT_CATALOG = 'def' AND " + is_parent;
}

outcome<std::vector<found_key>> read_from_dictionary(sql_session& session, const table_name& table) {
    SLUICE_TRY(const query_result found, session.run(dictionary_query(table)));
    std::vector<found_key> keys;
    std::set<std::string> schemas;
    for (std::size_t i = 0; i < found.rows.size(); ++i) {
        const named_cells row(found, i);
        const auto named = [&](const char* as_table, const char* schema, const char* name) {
            return row.text(as_table) == "1" ? table : table_name{row.text(schema), row.text(name)};
        };
        found_key one;
        one.is_own = row.text("is_child") == "1";
        foreign_key& key = one.key;
        key.child = named("is_child", "CONSTRAINT_SCHEMA", "TABLE_NAME");
        key.parent = named("is_parent", "UNIQUE_CONSTRAINT_SCHEMA", "REFERENCED_TABLE_NAME");
        key.name = row.text("CONSTRAINT_NAME");
        key.rules = rule_of(row.text("DELETE_RULE"), delete_cascade, delete_set_null, delete_no_action) |
                    rule_of(row.text("UPDATE_RULE"), update_cascade, update_set_null, update_no_action);
        one.id = key.child.schema + '/' + key.name;
        schemas.insert(key.child.schema);
        keys.push_back(std::move(one));
    }
    for (const std::string& schema : schemas) {
        std::string tables;
        for (const found_key& one : keys) {
            if (one.key.child.schema != schema) continue;
            tables += (tables.empty() ? "" : ", ") + quote_string(one.key.child.table);
        }
        SLUICE_TRY(const query_result columns,
                   session.run("SELECT CONSTRAINT_NAME, COLUMN_NAME, REFERENCED_COLUMN_NAME FROM "
                               "information_schema.KEY_COLUMN_USAGE WHERE TABLE_SCHEMA = " +
                               quote_string(schema) + " AND TABLE_NAME IN (" + tables +
                               ") AND REFERENCED_TABLE_NAME IS NOT NULL ORDER BY CONSTRAINT_NAME, ORDINAL_POSITION"));
        for (std::size_t i = 0; i < columns.rows.size(); ++i) {
            const named_cells row(columns, i);
            add_columns(keys, schema + '/' + row.text("CONSTRAINT_NAME"), row, "COLUMN_NAME", "REFERENCED_COLUMN_NAME");
        }
    }
    return keys;
}

}  // namespace

outcome<foreign_keys> read_foreign_keys(sql_session& session, const server_family& family, const table_name& table,
                                        int lower_case_table_names) {
    // The newer list comes with a data dictionary.
    if (!family.encodes_foreign_key_tables()) {
        SLUICE_TRY(const bool sees_all, sees_every_table(session));
        if (sees_all) {
            SLUICE_TRY(auto keys, read_from_dictionary(session, table));
            return sorted_out(std::move(keys));
        }
    }
    SLUICE_TRY(auto keys, read_from_list(session, family, table, lower_case_table_names));
    return sorted_out(std::move(keys));
}

}  // namespace sluice::migration

#include "migration/check/named_cells.hpp"
#include "migration/relations/read_relations.hpp"
#include "migration/sql/identifier.hpp"

#include <algorithm>
#include <map>
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

std::string keys_query(std::string_view view, const std::string& listed, int lower_case_table_names) {
    const auto name = quote_string(listed);
    // Collations would find more than the server's own comparison of names does.
    const auto is_table = [&](const std::string& column) {
        return lower_case_table_names == 0 ? "CAST(" + column + " AS BINARY) = CAST(" + name + " AS BINARY)"
                                           : "LOWER(" + column + ") = LOWER(" + name + ")";
    };
    const std::string list(view);
    return "SELECT f.ID, f.FOR_NAME, f.REF_NAME, f.TYPE, c.FOR_COL_NAME, c.REF_COL_NAME, " + is_table("f.FOR_NAME") +
           " AS is_child, " + is_table("f.REF_NAME") + " AS is_parent FROM information_schema." + list +
           " f JOIN information_schema." + list + "_COLS c ON c.ID = f.ID WHERE " + is_table("f.FOR_NAME") + " OR " +
           is_table("f.REF_NAME") + " ORDER BY f.ID, c.POS";
}

}  // namespace

outcome<foreign_keys> read_foreign_keys(sql_session& session, const server_family& family, const table_name& table,
                                        int lower_case_table_names) {
    SLUICE_TRY(const std::string listed, name_in_list(session, family, table));
    SLUICE_TRY(const query_result found,
               session.run(keys_query(family.foreign_keys_view(), listed, lower_case_table_names)));
    foreign_keys keys;
    std::string last_id;
    foreign_key* last = nullptr;
    for (std::size_t i = 0; i < found.rows.size(); ++i) {
        const named_cells row(found, i);
        const auto id = row.text("ID");
        if (last == nullptr || id != last_id) {
            const bool is_child = row.text("is_child") == "1";
            foreign_key key;
            const auto child_in_list = row.text("FOR_NAME");
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
            key.name = id.starts_with(schema + '/') ? id.substr(schema.size() + 1) : id.substr(id.find('/') + 1);
            key.rules = static_cast<unsigned>(row.number("TYPE").value_or(0));
            auto& list = is_child ? keys.own : keys.referencing;
            list.push_back(std::move(key));
            last = &list.back();
            last_id = id;
        }
        last->child_columns.push_back(row.text("FOR_COL_NAME"));
        last->parent_columns.push_back(row.text("REF_COL_NAME"));
    }
    return keys;
}

}  // namespace sluice::migration

#pragma once

// Two equal tables: the engine migrates the one, the server itself alters the other. What comes out must be the same,
// definition and rows, or neither may change.

#include "tests/integration/migration/engine_rig.hpp"
#include "tests/support/mysql_server.hpp"

#include <algorithm>
#include <string>

namespace sluice::test {

struct alter_case {
    std::string name;        ///< of the table; unique in a test program
    std::string definition;  ///< behind CREATE TABLE name
    std::string rows;        ///< behind INSERT INTO name; empty: none
    std::string alter;
    std::string sql_mode = "";  ///< of the session that makes and fills the tables
    bool relaxed = false;       ///< the server alters in that mode, too: its own one would refuse the table as it is
};

struct alter_result {
    migration::snapshot_ptr ended;
    std::string server_error;  ///< of the server's own ALTER; empty if it took it
    std::string created;       ///< SHOW CREATE TABLE of the migrated table, and of the other one under its name
    std::string created_by_server;
    rows content;  ///< all columns of all rows, in the order of their text
    rows content_by_server;
};

inline std::string without_counter_of(std::string text) {
    const auto options = text.rfind("\n)");
    const auto place = options == std::string::npos ? options : text.find(" AUTO_INCREMENT=", options);
    if (place == std::string::npos) return text;
    return text.erase(place, text.find_first_not_of("0123456789", place + 16) - place);
}

inline std::string replaced(std::string text, const std::string& what, const std::string& with) {
    for (auto place = text.find(what); place != std::string::npos; place = text.find(what, place + with.size())) {
        text.replace(place, what.size(), with);
    }
    return text;
}

inline std::string created_statement(sql_connection& root, const std::string& table, const std::string& shown_as) {
    const std::string text = root.query("SHOW CREATE TABLE " + table).at(0).at(1).value();
    return without_counter_of(table == shown_as ? text : replaced(text, table, shown_as));
}

inline rows content_of(sql_connection& root, const std::string& table) {
    std::string list;
    for (const auto& column : root.query("SELECT column_name FROM information_schema.columns WHERE table_schema = "
                                         "DATABASE() AND table_name = '" +
                                         table + "' ORDER BY ordinal_position")) {
        list += (list.empty() ? "HEX(`" : ", HEX(`") + *column[0] + "`)";
    }
    rows found = root.query("SELECT " + list + " FROM " + table);
    std::sort(found.begin(), found.end());
    return found;
}

inline void make_table_of(sql_connection& root, const alter_case& one, const std::string& name) {
    root.exec("SET SESSION sql_mode = '" + one.sql_mode + "'");
    root.exec("CREATE TABLE " + name + " " + one.definition);
    if (!one.rows.empty()) root.exec("INSERT INTO " + name + " " + one.rows);
    root.exec("SET SESSION sql_mode = @@GLOBAL.sql_mode");
}

/// spec_options: changed by the caller as it likes; the old table is dropped in any case.
inline alter_result alter_both(const mysql_server& server, const alter_case& one,
                               migration::migration_options options = {}) {
    sql_connection root = connect(server, "test");
    const std::string mirror = one.name + "_mirror";
    make_table_of(root, one, one.name);
    make_table_of(root, one, mirror);
    migration::migration_spec spec{{"test", one.name}, one.alter, std::move(options)};
    spec.options.drop_old_table = true;
    spec.options.hold_interval = std::chrono::milliseconds(100);
    spec.options.page_flush_wait = std::chrono::milliseconds(0);
    spec.options.chunk_rows_fixed = 10;
    auto engine = engine_on(server);
    auto created = engine->create(spec);
    if (!created) throw std::runtime_error(created.error().message);
    alter_result result;
    result.ended = wait_for_end(*engine, (*created)->id);
    try {
        root.exec(one.relaxed ? "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO'"
                              : "SET SESSION sql_mode = "
                                "CONCAT(@@GLOBAL.sql_mode, ',STRICT_TRANS_TABLES,NO_AUTO_VALUE_ON_ZERO')");
        // Constraints that the server named after the table.
        root.exec("ALTER TABLE " + mirror + " " + replaced(one.alter, one.name + "_chk_", mirror + "_chk_"));
    } catch (const sql_error& error) {
        result.server_error = error.what();
    }
    result.created = created_statement(root, one.name, one.name);
    result.created_by_server = created_statement(root, mirror, one.name);
    result.content = content_of(root, one.name);
    result.content_by_server = content_of(root, mirror);
    return result;
}

}  // namespace sluice::test

#include "tests/integration/cases/mirrored_migration.hpp"

#include "migration/sql/artefact_names.hpp"
#include "migration/sql/identifier.hpp"
#include "tests/support/row_compare.hpp"

#include <algorithm>
#include <regex>
#include <sstream>

namespace sluice::test {
namespace {

using migration::migration_state;
using migration::operator_command;
using migration::quote_identifier;
using migration::quote_string;

constexpr unsigned writes_per_phase = 25;
constexpr std::chrono::milliseconds poll{4};
constexpr std::chrono::seconds patience{60};

}  // namespace

migration::snapshot_ptr poll_until(const migration::migration_service& engine, const std::string& id,
                                   const std::function<bool(const migration::migration_snapshot&)>& condition) {
    const auto until = std::chrono::steady_clock::now() + patience;
    while (true) {
        auto snapshot = engine.find(id);
        if (snapshot && (is_final(snapshot->state) || condition(*snapshot))) return snapshot;
        if (std::chrono::steady_clock::now() > until) {
            throw std::runtime_error(
                "the migration stays " + std::string(to_string(snapshot->state)) + ": " + snapshot->waiting_for +
                (snapshot->cutover_attempts.empty() ? std::string()
                                                    : " / " + snapshot->cutover_attempts.back().given_up_because));
        }
        std::this_thread::sleep_for(poll);
    }
}

namespace {

std::uint64_t rows_in(sql_connection& root, const std::string& table) {
    try {
        return std::stoull(root.scalar("SELECT COUNT(*) FROM " + table));
    } catch (const sql_error&) {  // altered or swapped at this moment
        return 0;
    }
}

// Lets some chunks be copied, then stops for writes that hit copied rows and others.
bool pause_midway(migration::migration_service& engine, const migration::migration_spec& spec, const std::string& id,
                  mirror_writers& writers, sql_connection& root) {
    const std::string ghost = quote_identifier(spec.table.schema) + "." +
                              quote_identifier(migration::artefact_names_of(spec.table.table).ghost);
    const auto rows = rows_in(root, quote_identifier(spec.table.schema) + "." + quote_identifier(spec.table.table));
    (void)engine.command(id, operator_command::resume).has_error();
    const auto seen = poll_until(engine, id, [&](const auto& snapshot) {
        return snapshot.state > migration_state::copying || rows_in(root, ghost) >= rows / 4 + 1;
    });
    if (seen->state != migration_state::copying) return false;
    (void)engine.command(id, operator_command::pause).has_error();
    writers.wait_for_more(writes_per_phase);
    const bool midway = engine.find(id)->state == migration_state::copying;
    (void)engine.command(id, operator_command::resume).has_error();
    return midway;
}

std::vector<std::string> tables_in(sql_connection& root, const std::string& schema) {
    std::vector<std::string> names;
    for (const auto& row : root.query("SELECT table_name FROM information_schema.tables WHERE table_schema = " +
                                      quote_string(schema) + " AND table_type = 'BASE TABLE' ORDER BY table_name")) {
        names.push_back(*row.at(0));
    }
    return names;
}

std::string joined(const std::vector<std::string>& names) {
    std::string text;
    for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
    return text;
}

struct definition {
    std::string text;
    std::string auto_increment;
};

definition definition_of(sql_connection& root, const std::string& schema, const std::string& table,
                         bool free_constraint_names) {
    const auto shown = root.query("SHOW CREATE TABLE " + quote_identifier(schema) + "." + quote_identifier(table));
    definition result{*shown.at(0).at(1), {}};
    // The options are on the last line that begins with a parenthesis; a view has none.
    const auto options = std::min(result.text.rfind("\n)"), result.text.size());
    std::string head = result.text.substr(0, options), tail = result.text.substr(options);
    std::smatch found;
    if (std::regex_search(tail, found, std::regex(" AUTO_INCREMENT=([0-9]+)"))) {
        result.auto_increment = found[1];
        tail = std::string(found.prefix()) + std::string(found.suffix());
    }
    if (free_constraint_names) {
        head = std::regex_replace(head, std::regex("CONSTRAINT `([^`]|``)*`"), "CONSTRAINT ?");
        // What a foreign key does without being told; MySQL 5.6 and MariaDB write it out if the key was added in place.
        head = std::regex_replace(head, std::regex(" ON (DELETE|UPDATE) NO ACTION"), "");
    }
    result.text = head + tail;
    return result;
}

std::string first_different_line(const std::string& left, const std::string& right) {
    std::istringstream a(left), b(right);
    std::string line_a, line_b;
    while (true) {
        const bool more_a = static_cast<bool>(std::getline(a, line_a));
        const bool more_b = static_cast<bool>(std::getline(b, line_b));
        if (!more_a) line_a = "(nothing)";
        if (!more_b) line_b = "(nothing)";
        if (line_a != line_b) return "\n  migrated: " + line_a + "\n  server's: " + line_b;
        if (!more_a && !more_b) return {};
    }
}

struct shown_column {
    std::string name, type;
};

std::vector<shown_column> columns_of(sql_connection& root, const std::string& schema, const std::string& table) {
    std::vector<shown_column> columns;
    for (const auto& row :
         root.query("SELECT column_name, data_type FROM information_schema.columns WHERE "
                    "table_schema = " +
                    quote_string(schema) + " AND table_name = " + quote_string(table) + " ORDER BY ordinal_position")) {
        columns.push_back({*row.at(0), *row.at(1)});
    }
    return columns;
}

// Where the text of a value does not tell all of it.
std::string exact_expression(const shown_column& column) {
    static const std::set<std::string> spatial{
        "geometry",     "point",          "linestring",         "polygon", "multipoint", "multilinestring",
        "multipolygon", "geomcollection", "geometrycollection", "vector"};
    const std::string name = quote_identifier(column.name);
    if (column.type == "float" || column.type == "double") return "CONCAT(" + name + " * 1e0)";
    if (column.type == "enum" || column.type == "set") return "CONCAT(" + name + ", '#', " + name + " + 0)";
    if (column.type == "json") return "CONCAT(JSON_TYPE(" + name + "), " + name + ")";
    if (spatial.contains(column.type)) return "HEX(" + name + ")";
    return name;
}

// The columns of the primary key or else of the first unique key without NULL; all columns when there is none.
std::vector<std::string> identifying_columns(sql_connection& root, const std::string& schema, const std::string& table,
                                             const std::vector<std::string>& all) {
    std::vector<std::string> key;
    std::string index;
    for (const auto& row : root.query("SELECT index_name, column_name FROM information_schema.statistics WHERE "
                                      "table_schema = " +
                                      quote_string(schema) + " AND table_name = " + quote_string(table) +
                                      " AND non_unique = 0 AND index_name NOT IN (SELECT index_name FROM "
                                      "information_schema.statistics WHERE table_schema = " +
                                      quote_string(schema) + " AND table_name = " + quote_string(table) +
                                      " AND nullable = 'YES') ORDER BY index_name <> 'PRIMARY', index_name, "
                                      "seq_in_index")) {
        if (index.empty()) index = *row.at(0);
        if (*row.at(0) != index) break;
        if (!row.at(1)) return all;  // an expression
        key.push_back(*row.at(1));
    }
    return key.empty() ? all : key;
}

}  // namespace

std::string row_differences(sql_connection& root, const std::string& left, const std::string& right,
                            const std::string& table) {
    comparison_options how;
    how.differences_max = 5;
    for (const auto& column : columns_of(root, right, table)) {
        how.columns.push_back(column.name);
        how.expressions[column.name] = exact_expression(column);
    }
    how.key = identifying_columns(root, right, table, how.columns);
    const std::string name = quote_identifier(table);
    const comparison compared =
        compare_rows({root, quote_identifier(left) + "." + name}, {root, quote_identifier(right) + "." + name}, how);
    return compared.equal() ? std::string() : "rows of " + table + ": " + compared.text();
}

namespace {

std::string triggers_of(sql_connection& root, const std::string& schema, const std::string& table) {
    std::string text;
    for (const auto& row : root.query("SELECT action_timing, event_manipulation, action_statement FROM "
                                      "information_schema.triggers WHERE event_object_schema = " +
                                      quote_string(schema) + " AND event_object_table = " + quote_string(table) +
                                      " ORDER BY event_manipulation, action_timing, action_order")) {
        for (const auto& cell : row) text += *cell + " ";
        // MySQL 9.7 keeps the semicolon that parted a trigger from the next statement of one text.
        text.resize(text.find_last_not_of("; ") + 1);
        text += "\n";
    }
    return text;
}

// Where an UPDATE does not move the counter (before MySQL 8.0, and on MariaDB), the server's own ALTER may leave it
// below the greatest number, which a copy cannot; it must never be below the server's.
bool counters_fit(sql_connection& root, const std::string& migrated, const std::string& servers) {
    if (migrated == servers) return true;
    const std::string version = root.server_version();
    const bool exact = version.find("MariaDB") == std::string::npos && !version.starts_with("5.");
    return !exact && !migrated.empty() && !servers.empty() && std::stoull(migrated) > std::stoull(servers);
}

std::string table_differences(sql_connection& root, const std::string& left, const std::string& right,
                              const std::string& table, bool free_constraint_names) {
    const definition a = definition_of(root, left, table, free_constraint_names);
    const definition b = definition_of(root, right, table, free_constraint_names);
    if (a.text != b.text) return "definition of " + table + ":" + first_different_line(a.text, b.text);
    if (auto rows = row_differences(root, left, right, table); !rows.empty()) return rows;
    if (!counters_fit(root, a.auto_increment, b.auto_increment)) {
        return "AUTO_INCREMENT of " + table + ": migrated " + a.auto_increment + ", server's " + b.auto_increment;
    }
    const auto triggers = triggers_of(root, left, table);
    const auto wanted = triggers_of(root, right, table);
    return triggers == wanted ? std::string()
                              : "triggers of " + table + ": migrated " + triggers + "server's " + wanted;
}

}  // namespace

sql_connection mirrored_session(const mysql_server& server, const std::string& schema) {
    connect_options how;
    how.port = server.port();
    how.schema = schema;
    how.multi_statements = true;
    sql_connection session(how);
    session.exec("SET sql_mode = '" + std::string(mirrored_sql_mode) + "', time_zone = '+00:00'");
    if (server.options().kind == server_kind::mysql_9_7) {
        session.exec("SET show_gipk_in_create_table_and_information_schema = ON");
    }
    return session;
}

mirrored_progress migrate_under_writes(migration::migration_service& engine, const migration::migration_spec& spec,
                                       mirror_writers& writers, sql_connection& root) {
    mirrored_progress progress;
    const auto created = engine.create(spec);
    if (!created) throw std::runtime_error("not begun: " + created.error().code + ": " + created.error().message);
    const std::string id = (*created)->id;
    // It takes a while until the first chunk: the pause is there in time.
    (void)engine.command(id, operator_command::pause).has_error();
    progress.last =
        poll_until(engine, id, [](const auto& snapshot) { return snapshot.state >= migration_state::copying; });
    if (!is_final(progress.last->state)) {
        writers.wait_for_more(writes_per_phase);
        progress.paused_midway = pause_midway(engine, spec, id, writers, root);
        progress.last =
            poll_until(engine, id, [](const auto& snapshot) { return snapshot.state == migration_state::ready; });
    }
    if (!is_final(progress.last->state)) {
        writers.wait_for_more(writes_per_phase);
        (void)engine.command(id, operator_command::cut_over).has_error();
        progress.last = poll_until(engine, id, [](const auto&) { return false; });
    }
    writers.wait_for_more(writes_per_phase);
    return progress;
}

std::string alter_statement(const std::string& table, const std::string& alter) {
    if (std::regex_search(alter, std::regex("^ALTER\\s+TABLE\\s", std::regex::icase))) return alter;
    return "ALTER TABLE " + quote_identifier(table) + " " + alter;
}

std::string schema_differences(sql_connection& root, const std::string& left, const std::string& right,
                               bool free_constraint_names) {
    const auto tables = tables_in(root, right);
    if (const auto others = tables_in(root, left); others != tables) {
        return "the tables there are: migrated " + joined(others) + "; server's " + joined(tables);
    }
    for (const auto& table : tables) {
        auto found = table_differences(root, left, right, table, free_constraint_names);
        if (!found.empty()) return found;
    }
    return {};
}

}  // namespace sluice::test

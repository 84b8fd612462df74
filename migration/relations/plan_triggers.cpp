#include "migration/check/granted_privileges.hpp"
#include "migration/check/named_cells.hpp"
#include "migration/check/preconditions.hpp"
#include "migration/check/server_variables.hpp"
#include "migration/relations/plan_relations.hpp"
#include "migration/relations/read_relations.hpp"
#include "migration/sql/artefact_names.hpp"
#include "migration/sql/identifier.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace sluice::migration {
namespace {

// Each of them lets an account make a trigger for another one: MySQL before 8.2, since 8.2, and MariaDB.
constexpr std::array definer_privileges{"SUPER", "SET_USER_ID", "SET_ANY_DEFINER", "SET USER"};

outcome<void> check_creation_privileges(const relations_subject& subject, const std::vector<table_trigger>& triggers) {
    SLUICE_TRY(const auto grants, subject.session.run("SHOW GRANTS"));
    const granted_privileges granted(grants, subject.spec.table.schema);
    SLUICE_TRY(const auto account, subject.session.run("SELECT CURRENT_USER()"));
    const std::string user = account.rows.empty() ? "" : account.rows[0][0].value_or("");
    SLUICE_TRY(const auto variables, read_global_variables(subject.session, {"log_bin_trust_function_creators"}));
    if (!granted.has_global("SUPER") && !is_on(variables, "log_bin_trust_function_creators")) {
        return refuse("trigger_privileges",
                      "account " + user +
                          " cannot make triggers on a server that writes a binary log (the server would answer 1419): "
                          "SET GLOBAL log_bin_trust_function_creators = ON, or GRANT SUPER ON *.*");
    }
    const bool may_set_definer = std::any_of(definer_privileges.begin(), definer_privileges.end(),
                                             [&](const char* name) { return granted.has_global(name); });
    for (const auto& trigger : triggers) {
        if (may_set_definer || trigger.definer == user) continue;
        return refuse("trigger_privileges", "trigger " + quote_identifier(trigger.name) + " acts as " +
                                                trigger.definer + ", and account " + user +
                                                " may not make a trigger for another account: GRANT " +
                                                std::string(subject.facts.family->definer_privilege()) + " ON *.*");
    }
    return {};
}

// Variables that a body declares without a character set have that of the schema as it was when the trigger was made.
outcome<void> check_collation(const relations_subject& subject, const std::vector<table_trigger>& triggers) {
    SLUICE_TRY(
        const auto schema,
        subject.session.run("SELECT DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = " +
                            quote_string(subject.spec.table.schema)));
    const std::string now = schema.rows.empty() ? "" : schema.rows[0][0].value_or("");
    for (const auto& trigger : triggers) {
        if (trigger.database_collation == now) continue;
        return refuse("trigger_collation", "trigger " + quote_identifier(trigger.name) +
                                               " was made when the collation of schema " +
                                               quote_identifier(subject.spec.table.schema) + " was " +
                                               trigger.database_collation + "; now it is " + now +
                                               ", which a new trigger would take for its variables. Drop the trigger "
                                               "and make it again, or ALTER DATABASE back");
    }
    return {};
}

outcome<std::string> new_name_for(const table_trigger& trigger, const relations_subject& subject) {
    if (const auto known = subject.trigger_names.find(trigger.name); known != subject.trigger_names.end()) {
        return known->second;
    }
    const migration_options& options = subject.spec.options;
    auto name = new_trigger_name(trigger.name, options.trigger_suffix, options.remove_trigger_suffix);
    if (character_count(name) > identifier_characters_max) {
        return refuse("trigger_name_too_long", "the new trigger for " + quote_identifier(trigger.name) +
                                                   " would be named \"" + name + "\", which is longer than " +
                                                   std::to_string(identifier_characters_max) +
                                                   " characters: choose a shorter trigger_suffix");
    }
    SLUICE_TRY_VOID(check_identifier(name));
    return name;
}

outcome<void> check_names_are_free(const relations_subject& subject, const relations_plan& plan) {
    const auto& schema = subject.spec.table.schema;
    std::string list;
    for (const auto& made : plan.made) list += (list.empty() ? "" : ", ") + quote_string(made.new_name);
    SLUICE_TRY(const auto taken,
               subject.session.run("SELECT TRIGGER_NAME, EVENT_OBJECT_TABLE FROM information_schema.TRIGGERS WHERE "
                                   "TRIGGER_SCHEMA = " +
                                   quote_string(schema) + " AND TRIGGER_NAME IN (" + list + ") ORDER BY TRIGGER_NAME"));
    std::vector<std::string> names;
    for (std::size_t i = 0; i < taken.rows.size(); ++i) {
        const named_cells row(taken, i);
        names.push_back(row.text("TRIGGER_NAME") + " (on " + row.text("EVENT_OBJECT_TABLE") + ")");
    }
    if (names.empty()) return {};
    return refuse("trigger_name_taken", "names of triggers are unique in schema " + quote_identifier(schema) +
                                            ", and these that the new table's triggers would get are taken: " +
                                            listed(names) + ". Choose another trigger_suffix, or drop them");
}

/// The text in the trigger's own character set. Only names can be other than ASCII.
outcome<std::string> in_charset_of(sql_session& session, const table_trigger& trigger, const std::string& text) {
    const bool plain =
        std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    if (plain || trigger.charset_client.starts_with("utf8") || trigger.charset_client == "binary") return text;
    SLUICE_TRY_VOID(check_identifier(trigger.charset_client));
    const std::string utf8 = "_utf8mb4 0x" + to_hex(text);
    const std::string there = "CONVERT(" + utf8 + " USING " + trigger.charset_client + ")";
    SLUICE_TRY(const query_result converted,
               session.run("SELECT HEX(" + there + "), HEX(CONVERT(" + there + " USING utf8mb4)) = HEX(" + utf8 + ")"));
    if (converted.rows.empty() || converted.rows[0].size() < 2 || converted.rows[0][1] != "1") {
        return refuse("trigger_unreadable", "trigger " + quote_identifier(trigger.name) +
                                                " cannot be made again: its names cannot be written in " +
                                                trigger.charset_client +
                                                ", the character set that its statement came in");
    }
    const std::string hex = converted.rows[0][0].value_or("");
    std::string bytes;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
        bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    }
    return bytes;
}

outcome<planned_trigger> planned(const relations_subject& subject, const table_trigger& trigger) {
    planned_trigger made;
    made.name = trigger.name;
    SLUICE_TRY(made.new_name, new_name_for(trigger, subject));
    made.session = trigger_session_statement(trigger);
    SLUICE_TRY(const std::string body, body_of(trigger, subject.facts.family->reads_mariadb_comments()));
    const auto& table = subject.spec.table;
    const artefact_names names = artefact_names_of(table.table);
    for (const auto& ghost : {subject.ghost.empty() ? names.ghost : subject.ghost, names.swap_ghost, names.swap_old}) {
        SLUICE_TRY(std::string head, in_charset_of(subject.session, trigger,
                                                   trigger_head(trigger, made.new_name, {table.schema, ghost})));
        made.statements.push_back({ghost, head + body});
    }
    return made;
}

}  // namespace

outcome<void> plan_triggers(const relations_subject& subject, relations_plan& plan) {
    const auto& table = subject.spec.table;
    plan.triggers.clear();
    plan.made.clear();
    SLUICE_TRY(const auto names, read_trigger_names(subject.session, table));
    if (names.empty()) return {};
    const std::string has = "table " + quote_table(table) + " has triggers: " + listed(names);
    if (!subject.spec.options.include_triggers) {
        return refuse("triggers", has +
                                      ", which would stay with the old table. Set include_triggers and a "
                                      "trigger_suffix to have them made again for the new table, or drop them for the "
                                      "time of the migration");
    }
    const bool all_known = std::all_of(names.begin(), names.end(),
                                       [&](const std::string& name) { return subject.trigger_names.contains(name); });
    if (subject.spec.options.trigger_suffix.empty() && !all_known) {
        return refuse("trigger_suffix_missing",
                      has +
                          ". Names of triggers are unique in a schema, and the old table keeps its own: set "
                          "trigger_suffix (with remove_trigger_suffix, every second migration gives the names back)");
    }
    SLUICE_TRY(plan.triggers, read_triggers(subject.session, table));
    SLUICE_TRY_VOID(check_creation_privileges(subject, plan.triggers));
    SLUICE_TRY_VOID(check_collation(subject, plan.triggers));
    for (const auto& trigger : plan.triggers) {
        SLUICE_TRY(auto made, planned(subject, trigger));
        plan.made.push_back(std::move(made));
    }
    SLUICE_TRY(const auto usual, subject.session.run("SELECT @@SESSION.collation_connection, @@SESSION.sql_mode"));
    if (usual.rows.empty() || usual.rows[0].size() < 2) return refuse("server_error", "the session's mode is unknown");
    plan.usual_session = "SET SESSION character_set_client = utf8mb4, collation_connection = " +
                         quote_string(usual.rows[0][0].value_or("")) +
                         ", sql_mode = " + quote_string(usual.rows[0][1].value_or(""));
    return check_names_are_free(subject, plan);
}

}  // namespace sluice::migration

#include "migration/check/named_cells.hpp"
#include "migration/relations/read_relations.hpp"
#include "migration/sql/identifier.hpp"

#include <utility>

namespace sluice::migration {
namespace {

// Names of tables are compared as bytes: a collation would find more than the server does. With
// lower_case_table_names the name has the letter case that the server stores (describe_table() saw to that).
std::string triggers_query(const table_name& table) {
    return "SELECT TRIGGER_NAME, ACTION_TIMING, EVENT_MANIPULATION, DEFINER FROM information_schema.TRIGGERS"
           " WHERE EVENT_OBJECT_SCHEMA = " +
           quote_string(table.schema) + " AND EVENT_OBJECT_TABLE = " + quote_string(table.table) +
           " ORDER BY ACTION_TIMING, EVENT_MANIPULATION, ACTION_ORDER, TRIGGER_NAME";
}

}  // namespace

outcome<std::vector<std::string>> read_trigger_names(sql_session& session, const table_name& table) {
    SLUICE_TRY(const query_result found, session.run(triggers_query(table)));
    std::vector<std::string> names;
    for (std::size_t i = 0; i < found.rows.size(); ++i) names.push_back(named_cells(found, i).text("TRIGGER_NAME"));
    return names;
}

outcome<std::vector<table_trigger>> read_triggers(sql_session& session, const table_name& table) {
    SLUICE_TRY(const query_result found, session.run(triggers_query(table)));
    std::vector<table_trigger> triggers;
    for (std::size_t i = 0; i < found.rows.size(); ++i) {
        const named_cells row(found, i);
        table_trigger trigger;
        trigger.name = row.text("TRIGGER_NAME");
        trigger.timing = row.text("ACTION_TIMING");
        trigger.event = row.text("EVENT_MANIPULATION");
        trigger.definer = row.text("DEFINER");
        SLUICE_TRY_VOID(check_identifier(trigger.name));
        SLUICE_TRY_VOID(session.run("SET SESSION character_set_results = NULL"));
        auto shown = session.run("SHOW CREATE TRIGGER " + quote_table({table.schema, trigger.name}));
        SLUICE_TRY_VOID(session.run("SET SESSION character_set_results = utf8mb4"));
        if (!shown) return std::move(shown).error();
        if (shown->rows.empty()) return refuse("trigger_unreadable", "trigger " + trigger.name + " is gone");
        const named_cells detail(*shown, 0);
        trigger.statement = detail.text("SQL Original Statement");
        trigger.sql_mode = detail.text("sql_mode");
        trigger.charset_client = detail.text("character_set_client");
        trigger.collation_connection = detail.text("collation_connection");
        trigger.database_collation = detail.text("Database Collation");
        if (trigger.statement.empty()) {
            return refuse("trigger_unreadable", "trigger " + quote_identifier(trigger.name) +
                                                    " cannot be read: the account needs TRIGGER on " +
                                                    quote_table(table));
        }
        triggers.push_back(std::move(trigger));
    }
    return triggers;
}

}  // namespace sluice::migration

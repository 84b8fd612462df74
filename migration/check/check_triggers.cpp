#include "migration/check/preconditions.hpp"
#include "migration/sql/identifier.hpp"

namespace sluice::migration {

outcome<void> check_triggers(const check_subject& subject) {
    const auto& table = subject.spec.table;
    SLUICE_TRY(const auto found,
               subject.session.run("SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = " +
                                   quote_string(table.schema) + " AND EVENT_OBJECT_TABLE = " +
                                   quote_string(table.table) + " ORDER BY TRIGGER_NAME"));
    if (found.rows.empty()) return {};
    std::vector<std::string> names;
    for (const auto& row : found.rows) {
        if (!row.empty() && row[0]) names.push_back(*row[0]);
    }
    return refuse("triggers", "table " + quote_table(table) +
                                  " has triggers, which would stay with the old table: " + listed(names) +
                                  ". Drop them for the time of the migration and create them again "
                                  "afterwards");
}

}  // namespace sluice::migration

#include "migration/check/preconditions.hpp"
#include "migration/sql/artefact_names.hpp"
#include "migration/sql/identifier.hpp"

#include <algorithm>

namespace sluice::migration {

outcome<void> check_artefacts(const check_subject& subject) {
    const auto& table = subject.spec.table;
    auto names = artefact_names_of(table.table, subject.spec.options.tables_named_after);
    if (const auto& given = subject.spec.options.old_table_name; !given.empty()) names.old_table = given;
    const std::string swap_names = subject.facts.family->rename_under_lock()
                                       ? ""
                                       : ", " + quote_string(names.swap_ghost) + ", " + quote_string(names.swap_old);
    SLUICE_TRY(const auto found,
               subject.session.run("SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = " +
                                   quote_string(table.schema) + " AND TABLE_NAME IN (" + quote_string(names.ghost) +
                                   ", " + quote_string(names.changelog) + ", " + quote_string(names.old_table) +
                                   swap_names + ") ORDER BY TABLE_NAME"));
    if (found.rows.empty()) return {};
    std::vector<std::string> leftovers;
    std::string old_table;
    for (const auto& row : found.rows) {
        if (row.empty() || !row[0]) continue;
        leftovers.push_back(quote_table({table.schema, *row[0]}));
        if (*row[0] == names.old_table || *row[0] == names.swap_old) old_table = quote_table({table.schema, *row[0]});
    }
    std::string message = "tables of an earlier migration of " + quote_table(table) +
                          " still exist: " + listed(leftovers) + ". Unless that migration still runs, ";
    message += !old_table.empty() ? "DROP TABLE them (" + old_table +
                                        " holds the rows as they were before that migration), or rename them"
                                  : "set the option drop_leftovers, or DROP TABLE them";
    return refuse("leftover_tables", std::move(message));
}

}  // namespace sluice::migration

#include "migration/check/preconditions.hpp"
#include "migration/sql/artefact_names.hpp"
#include "migration/sql/identifier.hpp"
#include "protocol/sql/lexer.hpp"

#include <algorithm>

namespace sluice::migration {

outcome<void> check_artefacts(const check_subject& subject) {
    const auto& table = subject.spec.table;
    auto names = artefact_names_of(table.table, subject.spec.options.tables_named_after);
    const std::string former_old_table = names.old_table;
    if (const auto& given = subject.spec.options.old_table_name; !given.empty()) names.old_table = given;
    const auto same = [&](const std::string& a, const std::string& b) {
        return subject.facts.lower_case_table_names == 0 ? a == b : sql::equal_ignoring_case(a, b);
    };
    const auto is_to_go = [&](const std::string& name) {
        if (same(name, former_old_table)) return subject.spec.drop_former_old_table;
        const bool is_artefact = same(name, names.ghost) || same(name, names.changelog) || same(name, names.swap_ghost);
        return is_artefact && subject.role.drops_leftovers;
    };
    const std::string swap_names = subject.facts.family->rename_under_lock()
                                       ? ""
                                       : ", " + quote_string(names.swap_ghost) + ", " + quote_string(names.swap_old);
    SLUICE_TRY(const auto found,
               subject.session.run("SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = " +
                                   quote_string(table.schema) + " AND TABLE_NAME IN (" + quote_string(names.ghost) +
                                   ", " + quote_string(names.changelog) + ", " + quote_string(names.old_table) +
                                   swap_names + ") ORDER BY TABLE_NAME"));
    std::vector<std::string> leftovers;
    std::string old_table;
    for (const auto& row : found.rows) {
        if (row.empty() || !row[0] || is_to_go(*row[0])) continue;
        leftovers.push_back(quote_table({table.schema, *row[0]}));
        if (same(*row[0], names.old_table) || same(*row[0], names.swap_old))
            old_table = quote_table({table.schema, *row[0]});
    }
    if (leftovers.empty()) return {};
    std::string message = "tables of an earlier migration of " + quote_table(table) +
                          " still exist: " + listed(leftovers) + ". Unless that migration still runs, ";
    message += !old_table.empty() ? "DROP TABLE them (" + old_table +
                                        " holds the rows as they were before that migration), or rename them"
                                  : "set the option drop_leftovers, or DROP TABLE them";
    return refuse("leftover_tables", std::move(message));
}

}  // namespace sluice::migration

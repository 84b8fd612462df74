#include "migration/engine/ghost_checks.hpp"

#include "migration/sql/check_constraints.hpp"
#include "migration/sql/identifier.hpp"

namespace sluice::migration {
namespace {

outcome<std::vector<check_constraint>> checks_of(sql_session& session, const table_name& table) {
    SLUICE_TRY(const auto shown, session.run("SHOW CREATE TABLE " + quote_table(table)));
    const bool has_text = !shown.rows.empty() && shown.rows[0].size() > 1 && shown.rows[0][1];
    return has_text ? check_constraints_of(*shown.rows[0][1]) : std::vector<check_constraint>{};
}

}  // namespace

outcome<sql::constraint_names> name_ghost_checks(sql_session& session, const server_family& family,
                                                 const table_name& original, const table_name& ghost) {
    if (family.check_names_belong_to_table()) return sql::constraint_names{};
    SLUICE_TRY(const auto wanted, checks_of(session, original));
    if (wanted.empty()) return sql::constraint_names{};
    SLUICE_TRY(const auto made, checks_of(session, ghost));
    SLUICE_TRY(const auto others, session.run("SELECT LOWER(CONSTRAINT_NAME) FROM information_schema.CHECK_CONSTRAINTS"
                                              " WHERE CONSTRAINT_SCHEMA = " +
                                              quote_string(original.schema)));
    std::vector<std::string> taken;
    for (const auto& row : others.rows) {
        if (!row.empty() && row[0]) taken.push_back(*row[0]);
    }
    const auto names = ghost_check_names(wanted, original, ghost, taken);
    // In two steps: a number that is given up by the one may be what the other one wants.
    if (!made.empty()) SLUICE_TRY_VOID(session.run(drop_checks_statement(ghost, made)));
    SLUICE_TRY_VOID(session.run(add_checks_statement(ghost, wanted, names)));
    return names;
}

}  // namespace sluice::migration

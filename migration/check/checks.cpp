#include "migration/check/checks.hpp"

#include "migration/check/preconditions.hpp"

#include <algorithm>

namespace sluice::migration {

outcome<server_facts> run_checks(sql_session& session, const migration_spec& spec, const sql::alter_statement& alter,
                                 const checked_role& role) {
    SLUICE_TRY(server_facts facts, check_server(session));
    const check_subject subject{session, spec, alter, facts, role};
    for (const auto check : {check_alter, check_names, check_privileges, check_writable, check_binlog, check_table,
                             check_foreign_keys, check_triggers, check_artefacts}) {
        SLUICE_TRY_VOID(check(subject));
    }
    return facts;
}

outcome<server_facts> run_checks_again(sql_session& session, const migration_spec& spec,
                                       const sql::alter_statement& alter, const checked_role& role) {
    SLUICE_TRY(server_facts facts, check_server(session));
    const check_subject subject{session, spec, alter, facts, role};
    for (const auto check : {check_alter, check_names, check_privileges, check_writable, check_binlog, check_table,
                             check_foreign_keys, check_triggers}) {
        SLUICE_TRY_VOID(check(subject));
    }
    return facts;
}

outcome<server_facts> run_direct_checks(sql_session& session, const migration_spec& spec,
                                        const sql::alter_statement& alter, const checked_role& role) {
    SLUICE_TRY(server_facts facts, check_server(session));
    const check_subject subject{session, spec, alter, facts, role};
    for (const auto check : {check_names, check_privileges, check_writable, check_engine})
        SLUICE_TRY_VOID(check(subject));
    return facts;
}

std::string listed(const std::vector<std::string>& names, std::size_t shown_max) {
    const std::size_t shown = std::min(names.size(), shown_max);
    std::string text;
    for (std::size_t i = 0; i < shown; ++i) text.append(i == 0 ? "" : ", ").append(names[i]);
    if (shown < names.size()) text += " and " + std::to_string(names.size() - shown) + " more";
    return text;
}

}  // namespace sluice::migration

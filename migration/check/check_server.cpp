#include "migration/check/preconditions.hpp"
#include "migration/check/server_variables.hpp"

#include <charconv>

namespace sluice::migration {

outcome<server_facts> check_server(sql_session& session) {
    SLUICE_TRY(const auto variables,
               read_global_variables(session, {"version", "version_comment", "gtid_mode", "lower_case_table_names"}));
    const auto version = server_version::parse(value_of(variables, "version"), value_of(variables, "version_comment"));
    server_facts facts;
    facts.family = family_of(version.is_mariadb, version.number);
    if (!facts.family) return refuse_server(version);
    facts.version = version.text;
    facts.version_number = version.number;
    facts.gtid_mode_on = is_on(variables, "gtid_mode");
    const auto letter_case = value_of(variables, "lower_case_table_names");
    std::from_chars(letter_case.data(), letter_case.data() + letter_case.size(), facts.lower_case_table_names);
    return facts;
}

}  // namespace sluice::migration

#include "migration/check/preconditions.hpp"
#include "migration/check/server_variables.hpp"
#include "protocol/sql/lexer.hpp"

#include <charconv>

namespace sluice::migration {
namespace {

/// RENAME TABLE under LOCK TABLES, which the cut-over stands on, came with it.
constexpr unsigned oldest_version = 80013;

/// 90700 of "9.7.0-debug"; 0 when the text does not begin with three numbers.
unsigned version_number_of(std::string_view text) {
    unsigned number = 0;
    const char* at = text.data();
    const char* const end = text.data() + text.size();
    for (int part = 0; part < 3; ++part) {
        unsigned value = 0;
        const auto [next, error] = std::from_chars(at, end, value);
        if (error != std::errc() || value > 99) return 0;
        number = number * 100 + value;
        at = next;
        if (part < 2 && (at == end || *at++ != '.')) return 0;
    }
    return number;
}

bool contains_ignoring_case(std::string_view text, std::string_view part) {
    for (std::size_t i = 0; i + part.size() <= text.size(); ++i) {
        if (sql::equal_ignoring_case(text.substr(i, part.size()), part)) return true;
    }
    return false;
}

}  // namespace

outcome<server_facts> check_server(sql_session& session) {
    SLUICE_TRY(const auto variables,
               read_global_variables(session, {"version", "version_comment", "gtid_mode", "lower_case_table_names"}));
    server_facts facts;
    facts.version = value_of(variables, "version");
    facts.is_mariadb = contains_ignoring_case(facts.version, "mariadb") ||
                       contains_ignoring_case(value_of(variables, "version_comment"), "mariadb");
    facts.version_number = version_number_of(facts.version);
    facts.gtid_mode_on = is_on(variables, "gtid_mode");
    const auto letter_case = value_of(variables, "lower_case_table_names");
    std::from_chars(letter_case.data(), letter_case.data() + letter_case.size(), facts.lower_case_table_names);
    facts.rename_under_lock = !facts.is_mariadb && facts.version_number >= oldest_version;
    if (!facts.rename_under_lock) {
        return refuse("unsupported_server",
                      "the server is " + std::string(facts.is_mariadb ? "MariaDB " : "MySQL ") + facts.version +
                          "; migrations need MySQL 8.0.13 or newer, where RENAME TABLE works under LOCK TABLES");
    }
    return facts;
}

}  // namespace sluice::migration

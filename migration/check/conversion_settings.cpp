#include "migration/check/conversion_settings.hpp"

#include "migration/check/server_variables.hpp"
#include "migration/sql/identifier.hpp"
#include "protocol/sql/lexer.hpp"

#include <algorithm>
#include <array>

namespace sluice::migration {
namespace {

bool is_utc(const std::string& zone, const server_variables& variables) {
    constexpr std::array names{"+00:00", "-00:00", "UTC", "Etc/UTC", "GMT"};
    const auto named = [&](const std::string& name) {
        return std::ranges::any_of(names, [&](std::string_view one) { return sql::equal_ignoring_case(one, name); });
    };
    return named(zone) || (sql::equal_ignoring_case(zone, "SYSTEM") && named(value_of(variables, "system_time_zone")));
}

}  // namespace

outcome<conversion_settings> read_conversion_settings(sql_session& session, const server_family& family,
                                                      const std::string& time_zone) {
    SLUICE_TRY(const auto variables, read_global_variables(session, {"sql_mode", "time_zone", "system_time_zone"}));
    conversion_settings settings;
    const auto mode = "," + value_of(variables, "sql_mode") + ",";
    const auto has = [&](std::string_view word) {
        return mode.find("," + std::string(word) + ",") != std::string::npos;
    };
    const bool strict = has("STRICT_TRANS_TABLES") || has("STRICT_ALL_TABLES");
    settings.no_zero_date = strict && has("NO_ZERO_DATE");
    settings.text_must_be_integer = family.text_must_be_integer();
    settings.rounds_before_sign = family.rounds_before_sign();
    settings.no_zero_in_date = strict && has("NO_ZERO_IN_DATE");

    const auto zone = time_zone.empty() ? value_of(variables, "time_zone") : time_zone;
    if (!is_utc(zone, variables)) settings.time_zone = zone;
    SLUICE_TRY(const auto now,
               session.run("SELECT CONVERT_TZ(NOW(6), '+00:00', " + quote_string(settings.time_zone) + ")"));
    if (now.rows.empty() || now.rows[0].empty() || !now.rows[0][0]) {
        return refuse("unknown_time_zone",
                      "the server cannot convert to time zone '" + zone +
                          "': load its time zone tables (mysql_tzinfo_to_sql), or give the option time_zone a "
                          "name that it knows or an offset such as +02:00");
    }
    settings.now = *now.rows[0][0];
    return settings;
}

outcome<query_result> run_in_zone(sql_session& session, const std::string& time_zone, const std::string& statement) {
    if (time_zone == "+00:00") return session.run(statement);
    SLUICE_TRY_VOID(session.run("SET SESSION time_zone = " + quote_string(time_zone)));
    auto ran = session.run(statement);
    // A session that was lost on the way comes back in +00:00.
    if (auto reset = session.run("SET SESSION time_zone = '+00:00'"); !reset && ran) return reset;
    return ran;
}

}  // namespace sluice::migration

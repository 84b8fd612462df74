#pragma once

// What an ALTER TABLE in a new session of the server would go by: its time zone and its rules for zero dates.

#include "migration/family/server_family.hpp"
#include "migration/model/value_conversion.hpp"
#include "migration/ports/sql_executor.hpp"

#include <string>

namespace sluice::migration {

/// time_zone: the operator's option; empty: the server's global time_zone. "unknown_time_zone" where the server cannot
/// convert to it (its time zone tables are not loaded, or the name is wrong).
[[nodiscard]] outcome<conversion_settings> read_conversion_settings(sql_session& session, const server_family& family,
                                                                    const std::string& time_zone);

/// One ALTER TABLE in a time zone: a TIMESTAMP literal in a DEFAULT is a moment only by the session's zone. The session
/// is in +00:00 again behind it, as the engine's sessions are. Does not reconnect between the statements where the
/// session itself does not.
[[nodiscard]] outcome<query_result> run_in_zone(sql_session& session, const std::string& time_zone,
                                                const std::string& statement);

}  // namespace sluice::migration

#pragma once

// What an ALTER TABLE in a new session of the server would go by: its time zone and its rules for zero dates.

#include "migration/model/value_conversion.hpp"
#include "migration/ports/sql_executor.hpp"

#include <string>

namespace sluice::migration {

/// time_zone: the operator's option; empty: the server's global time_zone. "unknown_time_zone" where the server cannot
/// convert to it (its time zone tables are not loaded, or the name is wrong).
[[nodiscard]] outcome<conversion_settings> read_conversion_settings(sql_session& session, bool is_mariadb,
                                                                    const std::string& time_zone);

}  // namespace sluice::migration

#pragma once

// Cut-over attempts and kills as they are kept in a migration's durable row (state_report.hpp). Internal to
// migration/engine. What cannot be read is left out: a report is never a reason for a migration to stop.

#include "migration/engine/migration_snapshot.hpp"

#include <boost/json/array.hpp>

#include <vector>

namespace sluice::migration {

/// The last 20 attempts, each with its ten oldest blockers: the row is written every few seconds.
[[nodiscard]] boost::json::array attempts_to_json(const std::vector<cutover_attempt>& attempts);
[[nodiscard]] std::vector<cutover_attempt> attempts_from_json(const boost::json::array& array);

[[nodiscard]] boost::json::array kills_to_json(const std::vector<blocker_kill>& kills);
[[nodiscard]] std::vector<blocker_kill> kills_from_json(const boost::json::array& array);

}  // namespace sluice::migration

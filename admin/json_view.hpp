#pragma once

// Snapshots as JSON. Names are those of migration_snapshot, units last in the name (eta_s, hold_p99_us, age_ms); times
// are RFC 3339 in UTC; what is not there is null. Pure functions.

#include "migration/engine/migration_snapshot.hpp"

#include <boost/json/object.hpp>

namespace sluice::admin {

/// Everything, as GET /v1/migrations/{id} shows it.
[[nodiscard]] boost::json::object to_json(const migration::migration_snapshot& snapshot);

/// The same without the details of each cut-over attempt (only their number), as GET /v1/migrations lists it.
[[nodiscard]] boost::json::object to_json_summary(const migration::migration_snapshot& snapshot);

[[nodiscard]] boost::json::object to_json(const migration::migration_options& options);

}  // namespace sluice::admin

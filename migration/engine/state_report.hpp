#pragma once

// What of a snapshot is kept in the column `report` of the durable row: parts that are lists or that few will query, as
// one JSON object. Fields that a version does not know are ignored; fields that are missing stay as they are.

#include "migration/engine/migration_snapshot.hpp"

#include <string>
#include <string_view>

namespace sluice::migration {

[[nodiscard]] std::string report_to_json(const migration_snapshot& snapshot);
void report_from_json(std::string_view text, migration_snapshot& snapshot);

}  // namespace sluice::migration

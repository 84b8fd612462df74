#pragma once

// A table of the engine's own that is gone while it works: somebody else has dropped or renamed it.

#include "migration/model/failure.hpp"
#include "migration/model/migration_plan.hpp"

namespace sluice::migration {

/// "ghost_lost" or "changelog_lost" if that is what the server's error (no such table) comes from; else `why` itself.
[[nodiscard]] failure name_lost_artefact(failure why, const migration_plan& plan);

}  // namespace sluice::migration

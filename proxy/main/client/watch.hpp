#pragma once

// Follows a migration until it ends, showing its progress on standard output.

#include "proxy/main/client/admin_client.hpp"

#include <string>

namespace sluice {

/// On a terminal one line with a bar that is drawn anew; elsewhere a line at each change of state and otherwise one a
/// second while something moves. Loses patience with an admin port that stays silent for 10 s.
/// The exit code: ok when the migration completes, migration_failed when it fails or is aborted.
int watch_migration(admin_client& client, const std::string& id);

}  // namespace sluice

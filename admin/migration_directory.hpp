#pragma once

// What the control interfaces need of the engine, so that routes and views are tested without one. proxy/main
// joins it to migration_service.

#include "migration/engine/migration_service.hpp"

#include <string_view>
#include <vector>

namespace sluice::admin {

/// Thread-safe. The functions are those of migration::migration_service; all of them may fail with "unavailable", while
/// the engine is starting or stopping. A snapshot that is given is never null.
class migration_directory {
public:
    virtual ~migration_directory() = default;

    virtual migration::outcome<migration::snapshot_ptr> create(migration::migration_spec spec) = 0;
    /// Blocks for seconds.
    virtual migration::outcome<migration::alter_forecast> dry_run(const migration::migration_spec& spec) = 0;
    virtual migration::outcome<std::vector<migration::snapshot_ptr>> list() const = 0;
    /// "no_such_migration" when there is none, or several that begin so.
    virtual migration::outcome<migration::snapshot_ptr> find(std::string_view id) const = 0;
    virtual migration::outcome<migration::snapshot_ptr> command(std::string_view id,
                                                                migration::operator_command command) = 0;
    virtual migration::outcome<migration::snapshot_ptr> change(std::string_view id,
                                                               const migration::option_changes& changes) = 0;
};

}  // namespace sluice::admin

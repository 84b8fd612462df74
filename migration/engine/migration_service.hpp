#pragma once

// The facade of the engine: all migrations of one primary. Admin, command line and proxy see nothing else of it.

#include "migration/engine/migration_snapshot.hpp"
#include "migration/model/alter_forecast.hpp"
#include "migration/model/option_fields.hpp"
#include "migration/ports/change_feed.hpp"
#include "migration/ports/server_roles.hpp"
#include "migration/ports/sql_executor.hpp"
#include "migration/ports/throttle_ports.hpp"
#include "migration/ports/traffic_gate.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::migration {

enum class operator_command {
    cut_over,
    postpone,
    pause,
    resume,
    abort,   ///< while reverting: only the revert is called off
    revert,  ///< in_sync only: give the old table its name back
    finish,  ///< in_sync only: let the old table go, the migration is completed
};

struct service_options {
    std::string state_schema = "_sluice";  ///< durable job state on the primary; empty: none, for one run without it
    throttle_ports throttles{};            ///< what throttles ask besides the primary
    server_roles roles{};
};

/// Thread-safe. Each running migration has one coordinator thread, which alone changes that migration's state.
class migration_service {
public:
    migration_service(std::shared_ptr<sql_executor> sql, std::shared_ptr<change_feed_source> feeds,
                      std::shared_ptr<traffic_gate> gate, const service_options& options);
    /// Stops the threads of running migrations without ending the migrations: their durable state says where to go on.
    ~migration_service();
    migration_service(const migration_service&) = delete;
    migration_service& operator=(const migration_service&) = delete;

    /// Reads `_sluice.migrations`; goes on with, or tidies up after, what an earlier process left. Call once, before
    /// create().
    outcome<void> recover();

    /// Validates the request (not yet the table) and starts the migration. "already_running" if the table has one,
    /// "invalid_request" naming the field otherwise. Preconditions are reported by the snapshot. Returns when the
    /// migration is stored, so that the next start finds it; like the next two, after a second even so.
    outcome<snapshot_ptr> create(migration_spec spec);

    /// Does every check of create() and of the migration, and says how it would go, see dry_run.hpp. Blocks for
    /// seconds. Refuses with the codes of a real run. "already_running" too while the table has another dry run.
    outcome<alter_forecast> dry_run(const migration_spec& spec);

    /// All known migrations, newest first (at most the last 1 000).
    [[nodiscard]] std::vector<snapshot_ptr> list() const;

    /// nullptr when there is no such migration. A unique prefix of at least 4 characters will do.
    [[nodiscard]] snapshot_ptr find(std::string_view id) const;

    /// "no_such_migration", or "wrong_state" saying in which states the command makes sense.
    outcome<snapshot_ptr> command(std::string_view id, operator_command command);

    /// Changes options of a running migration. "no_such_migration", "wrong_state", or "fixed_option" naming one that
    /// cannot be changed any more (then none is).
    outcome<snapshot_ptr> change(std::string_view id, const option_changes& changes);

private:
    template <class Tell>
    outcome<snapshot_ptr> tell_run(std::string_view id, Tell tell);

    struct implementation;
    std::unique_ptr<implementation> self_;
};

}  // namespace sluice::migration

#pragma once

// Where a run works: on a master, told of the changes by its own log or by that of a replica of it; or on a replica
// alone, to try an ALTER there or to alter the table there only.

#include "migration/check/replica_status.hpp"
#include "migration/mysql/server_address.hpp"
#include "migration/ports/server_roles.hpp"
#include "migration/ports/sql_executor.hpp"
#include "migration/ports/throttle_ports.hpp"
#include "protocol/result.hpp"
#include "proxy/main/ghost/ghost_settings.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace sluice::ghost {

/// Found out by asking the servers.
struct work_place {
    migration::server_address master;  ///< where the table is altered: with --…-on-replica, the replica
    std::string version;               ///< of it
    std::string inspected_version;     ///< of the server of --host
    bool inspected_is_replica = false;
    /// The replica whose log is read in place of the master's; nothing: the log of the server that is altered.
    std::optional<migration::server_address> log_server;
};

/// Follows replication up from --host, and looks whether what is between it and the master hands every change on. The
/// error is gh-ost's where it refuses the same.
[[nodiscard]] result<work_place, std::string> find_work_place(const ghost_settings& settings);

/// The heartbeats of a replica that is altered itself are its own and say nothing of lag: asked for that one, the ports
/// answer with what it says of its replication.
[[nodiscard]] migration::throttle_ports with_own_lag(migration::throttle_ports ports,
                                                     const migration::server_address& replica);

/// call_hook: a hook's name; its error keeps replication from being stopped or started.
using hook_caller = std::function<result<void, std::string>(const char* name)>;

/// by_hooks: hooks alone stop and start the replication; that it has stopped is looked at all the same.
[[nodiscard]] std::shared_ptr<migration::replication_switch> replication_of(const migration::server_address& replica,
                                                                            std::chrono::seconds connect_limit,
                                                                            bool by_hooks, hook_caller call_hook);

/// The statement that starts replication on a server of this version, as VERSION() says it.
[[nodiscard]] std::string start_statement(const std::string& version);

/// Looks for what a trial that was killed has left on the replica of --host. If replication stands still since, and
/// this run works on the replica and may clean up (--initially-drop-ghost-table), the table is made what it was, and
/// replication started: true. False: there is nothing to be mended. The error says what a trial has left, and what to
/// do about it. applies: changes come to the tables, whichever bears which name.
[[nodiscard]] result<bool, std::string> mend_stopped_trial(migration::sql_session& session,
                                                           const ghost_settings& settings, const std::string& version,
                                                           bool applies);

}  // namespace sluice::ghost

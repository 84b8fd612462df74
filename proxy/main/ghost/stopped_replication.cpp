// Replication that does not run on a replica where a run is to work, and what becomes of it.

#include "migration/engine/preparation.hpp"
#include "migration/engine/stopped_trial.hpp"
#include "migration/family/server_family.hpp"
#include "migration/sql/identifier.hpp"
#include "proxy/main/ghost/hooks.hpp"
#include "proxy/main/ghost/replica_modes.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <thread>
#include <utility>

namespace sluice::ghost {
namespace {

using migration::quote_table;
using migration::replica_status;
using migration::sql_session;
using std::chrono::steady_clock;

constexpr std::chrono::seconds start_limit{30};
constexpr std::chrono::milliseconds poll{100};

/// Where it has changed the tables' places by one rename, the statement that changes them back.
std::string rename_by_hand(sql_session& session, const ghost_settings& settings,
                           const migration::stopped_trial& trial) {
    const migration::migration_plan names = migration::plan_names(settings.spec);
    const auto found =
        session.run("SELECT GROUP_CONCAT(TABLE_NAME) FROM information_schema.TABLES WHERE TABLE_SCHEMA = " +
                    migration::quote_string(names.original.schema) + " AND TABLE_NAME IN (" +
                    migration::quote_string(names.ghost.table) + ", " + migration::quote_string(trial.old_table) + ")");
    const bool swapped = found && !found->rows.empty() && found->rows[0].at(0) == trial.old_table;
    if (!swapped) return {};
    return "RENAME TABLE " + quote_table(names.original) + " TO " + quote_table(names.ghost) + ", " +
           quote_table({names.original.schema, trial.old_table}) + " TO " + quote_table(names.original) + "; ";
}

result<void, std::string> wait_until_running(sql_session& session) {
    const auto until = steady_clock::now() + start_limit;
    while (true) {
        const auto channels = migration::read_replica_status(session);
        if (channels && std::ranges::all_of(*channels, &replica_status::runs)) return {};
        if (steady_clock::now() > until) break;
        std::this_thread::sleep_for(poll);
    }
    return std::string("replication was started again after a trial that was killed, and does not run");
}

}  // namespace

std::string start_statement(const std::string& version) {
    constexpr unsigned first_of_replica = 80022;
    const auto server = migration::server_version::parse(version, {});
    if (server.is_mariadb) return "START ALL SLAVES";
    return server.number >= first_of_replica ? "START REPLICA" : "START SLAVE";
}

result<bool, std::string> mend_stopped_trial(sql_session& session, const ghost_settings& settings,
                                             const std::string& version) {
    const auto run = [&session](std::string_view sql) { return session.run(sql); };
    const std::string table = quote_table(settings.spec.table);
    const auto trial = migration::find_stopped_trial(run, settings.spec);
    if (!trial) return "cannot learn whether a trial of " + table + " was killed here: " + trial.error().message;
    if (!*trial) return false;
    const std::string found = "Replication on " + settings.server.text() +
                              " was stopped by a run with --test-on-replica of " + table +
                              " that was killed before its end. ";
    const bool may = settings.on_replica() && settings.execute && settings.spec.options.drop_leftovers;
    if (!may) {
        return found +
               "A run on this replica with --initially-drop-ghost-table --execute puts that right and goes on; by "
               "hand: " +
               rename_by_hand(session, settings, **trial) + start_statement(version);
    }
    spdlog::warn("{}The tables are swapped back where they are swapped, and replication is started again", found);
    auto undone = migration::undo_trial(session, settings.spec, **trial);
    if (!undone) return found + "That cannot be put right: " + undone.error().message;
    const auto replication = replication_of(
        settings.server, settings.connect_limit, settings.replication_by_hooks,
        [&settings](const char* hook) -> result<void, std::string> {
            const run_clock clock(steady_clock::now());
            return run_hooks(settings.hooks.path, hook, hook_environment(settings, {}, clock, steady_clock::now()));
        });
    if (auto started = replication->start(); !started)
        return found + "It cannot be started: " + started.error().message;
    SLUICE_TRY_VOID(wait_until_running(session));
    auto forgotten = migration::forget_stopped(run, migration::plan_names(settings.spec).changelog);
    if (!forgotten) return "the changelog of a trial that was killed cannot be used: " + forgotten.error().message;
    return true;
}

}  // namespace sluice::ghost

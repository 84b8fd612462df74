// Replication that does not run on a replica where a run is to work, and what becomes of it.

#include "migration/cutover/sentry_swap.hpp"
#include "migration/engine/preparation.hpp"
#include "migration/engine/stopped_trial.hpp"
#include "migration/family/server_family.hpp"
#include "migration/model/swap_names.hpp"
#include "migration/sql/identifier.hpp"
#include "migration/sql/table_statements.hpp"
#include "protocol/sql/lexer.hpp"
#include "proxy/main/ghost/hooks.hpp"
#include "proxy/main/ghost/replica_modes.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace sluice::ghost {
namespace {

using migration::quote_table;
using migration::replica_status;
using migration::sql_session;
using std::chrono::steady_clock;

constexpr std::chrono::seconds start_limit{30};
constexpr std::chrono::milliseconds poll{100};

/// Which of a trial's tables are there.
class present_tables {
public:
    present_tables(sql_session& session, const migration::swap_names& names) {
        std::string list;
        for (const migration::table_name& each :
             {names.original, names.ghost, names.old_table, names.swap_ghost, names.swap_old}) {
            list += (list.empty() ? "" : ", ") + migration::quote_string(each.table);
        }
        const auto found = session.run(
            "SELECT TABLE_NAME, TABLE_COMMENT, @@lower_case_table_names FROM information_schema.TABLES WHERE "
            "TABLE_SCHEMA = " +
            migration::quote_string(names.original.schema) + " AND TABLE_NAME IN (" + list + ")");
        if (!found) return;
        for (const auto& row : found->rows) {
            folds_ = row.at(2) != "0";
            names_.push_back(row.at(0).value_or(""));
            if (row.at(1) == migration::sentry_comment) sentry_ = names_.back();
        }
    }
    [[nodiscard]] bool has(const migration::table_name& table) const {
        return !is(sentry_, table) && std::ranges::any_of(names_, [&](const auto& name) { return is(name, table); });
    }
    /// What only keeps a name free.
    [[nodiscard]] bool has_sentry() const { return !sentry_.empty(); }

private:
    [[nodiscard]] bool is(const std::string& name, const migration::table_name& table) const {
        return folds_ ? sql::equal_ignoring_case(name, table.table) : name == table.table;
    }

    bool folds_ = false;
    std::vector<std::string> names_;
    std::string sentry_;
};

struct trial_tables {
    bool swapped = false;  ///< the original does not bear its name
    std::string by_hand;   ///< what gives the tables the names that they had before; empty where they have them
};

trial_tables look_at_tables(sql_session& session, const ghost_settings& settings,
                            const migration::stopped_trial& trial) {
    migration::swap_names names = migration::swap_names_of(migration::plan_names(settings.spec));
    names.old_table.table = trial.old_table;
    const present_tables there(session, names);
    // The swap is over, or that of two sessions is, but for the name that the old table bears in it; or both tables
    // bear such names, and perhaps (MySQL 5.x) none the table's own.
    std::vector<migration::table_rename> renames;
    const bool has_ghost = there.has(names.ghost) || there.has(names.swap_ghost);
    const migration::table_name& old = there.has(names.old_table) ? names.old_table : names.swap_old;
    if (there.has(names.original) && !has_ghost && there.has(old)) {
        renames = {{names.original, names.ghost}, {old, names.original}};
    } else if (!there.has(names.original) && there.has(old)) {
        renames = {{old, names.original}};
    }
    trial_tables found{.swapped = !renames.empty(), .by_hand = {}};
    if (there.has(names.swap_ghost)) renames.push_back({names.swap_ghost, names.ghost});
    if (there.has_sentry()) found.by_hand += "DROP TABLE " + quote_table(names.swap_old) + "; ";
    if (!renames.empty()) found.by_hand += migration::rename_statement(renames) + "; ";
    return found;
}

/// Replication runs again, nobody having looked at the tables before. What it brought since the swap is in the new
/// table alone, and a swap back would lose that to the original.
std::string swapped_while_applying(const ghost_settings& settings, const migration::stopped_trial& trial) {
    const migration::table_name& table = settings.spec.table;
    const auto names = migration::plan_names(settings.spec);
    return "Replication on " + settings.server.text() + " runs, but " + quote_table(table) +
           " is the new table of a run with --test-on-replica that was killed between its two swaps, and " +
           quote_table({table.schema, trial.old_table}) +
           " the original, which lacks what was replicated since. No run goes on from there; by hand: load " +
           quote_table(table) + " anew from the master, and drop " + quote_table({table.schema, trial.old_table}) +
           " and " + quote_table(names.changelog) + ", which says so";
}

bool is_hidden(const migration::failure& why) {
    constexpr unsigned schema_denied = 1044;
    constexpr unsigned table_denied = 1142;
    return why.server_errno == schema_denied || why.server_errno == table_denied;
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
                                             const std::string& version, bool applies) {
    const auto run = [&session](std::string_view sql) { return session.run(sql); };
    const std::string table = quote_table(settings.spec.table);
    const auto trial = migration::find_stopped_trial(run, settings.spec);
    // To whom the table is hidden, it is nobody's business here.
    if (!trial && applies && is_hidden(trial.error())) return false;
    if (!trial) return "cannot learn whether a trial of " + table + " was killed here: " + trial.error().message;
    if (!*trial) return false;
    const trial_tables tables = look_at_tables(session, settings, **trial);
    if (applies && tables.swapped) return swapped_while_applying(settings, **trial);
    if (applies) return false;
    const std::string found = "Replication on " + settings.server.text() +
                              " was stopped by a run with --test-on-replica of " + table +
                              " that was killed before its end. ";
    const bool may = settings.on_replica() && settings.execute && settings.spec.options.drop_leftovers;
    if (!may) {
        return found +
               "A run on this replica with --initially-drop-ghost-table --execute puts that right and goes on; by "
               "hand: " +
               tables.by_hand + start_statement(version);
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

// Whose migration it is, and on which server. A process that was killed may still have a statement at work there; and
// behind the address of the server there may be another one by now, which has taken over and need not have all that the
// first one had.

#include "migration/check/replica_status.hpp"
#include "migration/check/server_variables.hpp"
#include "migration/checkpoint/former_workers.hpp"
#include "migration/engine/migration_run.hpp"
#include "migration/engine/stopped_trial.hpp"
#include "migration/sql/identifier.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

namespace sluice::migration {
namespace {

constexpr unsigned claim_wait_s = 10;
constexpr int lost_connections_max = 10;
constexpr unsigned history_max = 1'000;  // as many as are taken up at a start

struct lock_holder {
    std::string connection;
    std::optional<std::string> statement;  ///< nothing: it is idle, its process lives
};

/// nullopt: the lock is free by now.
outcome<std::optional<lock_holder>> holder_of(const statement_runner& run, const std::string& lock) {
    const std::string id = "IS_USED_LOCK(" + quote_string(lock) + ")";
    SLUICE_TRY(const query_result found,
               run("SELECT " + id +
                   ", (SELECT COALESCE(LEFT(INFO, 100), COMMAND) FROM information_schema.PROCESSLIST WHERE COMMAND <> "
                   "'Sleep' AND ID = " +
                   id + ")"));
    if (found.rows.empty() || !found.rows[0][0]) return std::optional<lock_holder>();
    return std::optional(lock_holder{*found.rows[0][0], found.rows[0][1]});
}

/// Of a server; empty where that cannot be said.
std::string identity_of(sql_session& session) {
    const auto told = read_global_variables(session, {"server_uuid", "server_id", "hostname", "port"});
    if (!told) return {};
    // MariaDB has none.
    if (std::string uuid = value_of(*told, "server_uuid"); !uuid.empty()) return uuid;
    std::string name;
    for (const char* part : {"server_id", "hostname", "port"}) name += value_of(*told, part) + " ";
    return name;
}

}  // namespace

// Two processes must not work on one migration. The lock lives as long as this connection, which is idle most of the
// time: the server ends it at once when its process goes. Only a statement may keep it there for longer.
outcome<void> migration_run::claim() {
    const std::string lock =
        current_.spec.checkpoint_table ? lock_of_table(current_.spec.table) : lock_of_migration(current_.id);
    for (int lost = 0; !interrupted();) {
        auto got = control_.take_lock(lock, claim_wait_s);
        if (!got) {
            if (got.error().then != disposition::retry || ++lost == lost_connections_max) return got.error();
            continue;
        }
        if (*got) {
            wait_for("");
            return require_same_server();
        }
        SLUICE_TRY(const auto holder, holder_of(runner(), lock));
        if (!holder) continue;
        if (!holder->statement) {
            is_elsewhere_ = true;
            return refuse("running_elsewhere", "migration " + current_.id + " of " + quote_table(current_.spec.table) +
                                                   " is being worked on by another process");
        }
        wait_for("connection " + holder->connection +
                 " of the server, on which a statement of another process still runs: " + *holder->statement);
        publish();
    }
    return interruption();
}

bool migration_run::is_on_its_server() {
    if (!control_.connected() || server_.empty()) return true;
    const std::string now = identity_of(control_);
    return now.empty() || now == server_;
}

outcome<void> migration_run::require_same_server() {
    if (!control_.connected()) return {};
    std::string now = identity_of(control_);
    if (now.empty() || now == server_) return {};
    const std::string before = std::exchange(server_, std::move(now));
    if (before.empty()) return {};
    return refuse("server_changed", "the migration was at work on server " + before + ", and behind its address is " +
                                        server_ + " now, which need not have all that was copied");
}

// To such a server this process is a new one: what is there is looked at as at a start, and the last checkpoint tells
// what must be there.
outcome<migration_run::ending> migration_run::proceed_on_any_server() {
    while (true) {
        auto end = proceed();
        if (end || interrupted() || !environment_.store.keeps()) return end;
        failure why = end.error();
        // What another server's binary log or tables lack may have been noticed first.
        if (auto same = require_same_server(); !same) why = std::move(same).error();
        if (why.code != "server_changed") return end;
        spdlog::warn("migration {}: {}; it is taken up there as after a restart", current_.id, why.message);
        SLUICE_TRY_VOID(leave_server());
    }
}

// What is stored there was committed behind what it tells of, and so came there behind it.
outcome<void> migration_run::leave_server() {
    give_up_work();
    throttler_.reset();
    verification_.reset();
    comparing_.reset();
    planner_.reset();
    log_server_.reset();
    group_seat_.leave("begins again on another server");
    control_.close();
    stream_guard_ = {};
    applied_place_ = {};
    checkpoint_begun_ = false;
    may_go_on_ = false;
    goes_on_ = false;
    tables_made_ = false;
    swap_possible_ = false;
    SLUICE_TRY(auto known, environment_.store.load(control_, history_max));
    const auto stored = std::ranges::find(known, current_.id, &migration_snapshot::id);
    if (stored != known.end()) {
        current_ = std::move(*stored);
    } else {
        current_.state = migration_state::queued;
        current_.checkpoint.clear();
    }
    found_state_ = current_.state;
    return {};
}

// What a process has left at work on the server can be ended there. On another one it may still arrive, for as long as
// that follows the first: a chunk would bring back rows that were deleted since.
outcome<void> migration_run::require_taken_over(const checkpoint& from) {
    if (!from.by_gtid || log_server_ || environment_.roles.works_on_replica) return {};
    if (from.server == identity_of(control_)) return {};
    const bool is_known = !from.server.starts_with("a replica ");  // see name_of_log()
    SLUICE_TRY(const auto channels, read_replica_status(control_));
    for (const replica_status& channel : channels) {
        if (channel.receiver == "No" && channel.applier == "No") continue;
        if (is_known && !channel.source_uuid.empty() && channel.source_uuid != from.server) continue;
        failure why = refuse("not_taken_over", "the server still replicates from " + channel.source_host + ":" +
                                                   std::to_string(channel.source_port) +
                                                   ", where the migration was at work; STOP REPLICA makes it the "
                                                   "primary");
        why.then = disposition::retry;
        return why;
    }
    return {};
}

}  // namespace sluice::migration

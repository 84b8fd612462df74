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
constexpr std::chrono::seconds away_wait{1};
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

/// Where the server folds letters of names, one table has one lock by whatever letters it is called.
outcome<std::string> lock_on_server(const statement_runner& run, const table_name& table) {
    SLUICE_TRY(const query_result told, run("SELECT @@lower_case_table_names, LOWER(" + quote_string(table.schema) +
                                            "), LOWER(" + quote_string(table.table) + ")"));
    const bool folds = !told.rows.empty() && told.rows[0].size() == 3 && told.rows[0][0] != "0";
    if (!folds) return lock_of_table(table);
    return lock_of_table({told.rows[0][1].value_or(table.schema), told.rows[0][2].value_or(table.table)});
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

// Two processes must not work on one table: on one migration of it, which a later process takes up, or on two, of which
// neither knows the other. The lock lives as long as this connection, which is idle most of the time: the server ends
// it at once when its process goes. Only a statement may keep it there for longer.
outcome<void> migration_run::claim() {
    SLUICE_TRY(lock_, lock_on_server(runner(), current_.spec.table));
    for (int lost = 0; !interrupted();) {
        auto got = take_claim(claim_wait_s);
        if (!got) {
            if (got.error().then != disposition::retry || ++lost == lost_connections_max) return got.error();
            continue;
        }
        if (*got) {
            claimed_ = was_claimed_ = true;
            is_elsewhere_ = false;
            wait_for("");
            return require_same_server();
        }
        SLUICE_TRY(const auto holder, holder_of(runner(), lock_));
        if (!holder) continue;
        if (!holder->statement) return give_way(holder->connection);
        wait_for("connection " + holder->connection +
                 " of the server, on which a statement of another process still runs: " + *holder->statement);
        publish();
    }
    return interruption();
}

// False: another process has it.
outcome<bool> migration_run::take_claim(unsigned wait_s) {
    SLUICE_TRY(const bool got, control_.take_lock(lock_, wait_s));
    if (!got) return false;
    claimed_by_ = control_.connection_id();
    SLUICE_TRY_VOID(require_unended());
    return true;
}

// Whoever had it meanwhile may have brought the migration to an end: nothing of it is this process's any more, and what
// bears the names of its tables may be all that is left of their rows.
outcome<void> migration_run::require_unended() {
    SLUICE_TRY(const auto stored, environment_.store.state_of(control_, current_.id));
    if (!stored || !is_final(*stored) || *stored == current_.state) return {};
    is_elsewhere_ = true;
    tables_made_ = {};
    return refuse("running_elsewhere", "another process has brought migration " + current_.id +
                                           " to its end: " + std::string(to_string(*stored)));
}

// What is stored of this migration is another process's to say, unless only this one knows of it.
outcome<void> migration_run::give_way(const std::string& holder) {
    const auto known = environment_.store.load(control_, history_max);
    is_elsewhere_ =
        claimed_ || !known || std::ranges::find(*known, current_.id, &migration_snapshot::id) != known->end();
    tables_made_ = {};
    return refuse("running_elsewhere", "migration " + current_.id +
                                           " is not gone on with: " + quote_table(current_.spec.table) +
                                           " is being worked on by another process, whose connection " + holder +
                                           " to the server holds the lock " + lock_);
}

// It goes with the connection, which may be lost at any time in days. Before anybody can have begun to work in this
// one's place the workers' connections are ended, and permit() keeps them from coming back.
outcome<void> migration_run::keep_claim(unsigned wait_s) {
    if (is_elsewhere_) return refuse("running_elsewhere", "migration " + current_.id + " is another process's by now");
    if (!claimed_ || control_.has_lock()) return {};
    for (int lost = 0;;) {
        const auto got = take_claim(wait_s);
        if (got && *got) break;
        if (got) {
            const auto holder = holder_of(runner(), lock_);
            return give_way(holder && *holder ? (*holder)->connection : std::string("of a moment ago"));
        }
        if (got.error().then != disposition::retry || interrupted() || ++lost == lost_connections_max) {
            return got.error();
        }
    }
    spdlog::info("migration {}: the connection that said whose {} is was lost; another one says so now", current_.id,
                 quote_table(current_.spec.table));
    return {};
}

// As keep_claim(), and a loss that nobody has noticed yet is noticed.
outcome<void> migration_run::require_claim(unsigned wait_s) {
    if (auto alive = control_.run("SELECT 1"); !alive && alive.error().then == disposition::abort) return alive.error();
    return keep_claim(wait_s);
}

bool migration_run::may_store() {
    constexpr unsigned wait_s = 1;
    if (!was_claimed_ || control_.has_lock()) return true;
    const auto got = take_claim(wait_s);
    return got && *got;
}

// Nobody's is as good as this process's own: whoever claims the table from now on finds this worker by the name of its
// own lock, which it bears by then, and ends it before anything else.
std::function<outcome<void>(sql_session&)> migration_run::permit() {
    return [this, table = quote_table(current_.spec.table),
            query = "SELECT COALESCE(IS_USED_LOCK(" + quote_string(lock_) +
                    "), 0)"](sql_session& session) -> outcome<void> {
        SLUICE_TRY(const query_result told, session.run(query));
        const std::string holder = told.rows.empty() || told.rows[0].empty() ? "" : told.rows[0][0].value_or("");
        if (holder == "0" || holder == std::to_string(claimed_by_)) return {};
        failure why = refuse("running_elsewhere", table + " is being worked on by another process, on connection " +
                                                      holder + " of the server");
        why.then = disposition::retry;  // until the coordinator has claimed it again, or has ended the run
        return why;
    };
}

bool migration_run::is_server_of(sql_session& session) const {
    if (server_.empty()) return true;
    const std::string now = identity_of(session);
    return now.empty() || now == server_;
}

bool migration_run::is_on_its_server() { return !control_.connected() || is_server_of(control_); }

outcome<void> migration_run::require_same_server() {
    if (!control_.connected()) return {};
    std::string now = identity_of(control_);
    if (now.empty() || now == server_) return {};
    const std::string before = std::exchange(server_, std::move(now));
    if (before.empty()) return {};
    return refuse("server_changed", "the migration was at work on server " + before + ", and behind its address is " +
                                        server_ + " now, which need not have all that was copied");
}

// To another server this process is a new one: what is there is looked at as at a start, and the last checkpoint tells
// what must be there. So it goes too where the server was away for longer than the workers wait, or takes no writes:
// the first step of most switchovers. Nothing can be dropped or stored there now, and what was copied is worth the
// wait.
outcome<migration_run::ending> migration_run::proceed_on_any_server() {
    while (true) {
        auto end = proceed();
        if (end || interrupted() || !environment_.store.keeps()) return end;
        failure why = end.error();
        // What another server's binary log or tables lack may have been noticed first.
        if (auto same = require_same_server(); !same) why = std::move(same).error();
        const bool waits_for_word = current_.state == migration_state::checking && held_up_by_operator_;
        const bool is_begun = waits_for_word || (current_.state > migration_state::altering &&
                                                 current_.state <= migration_state::cutting_over);
        if (why.code != "server_changed" && !(is_begun && is_server_away(why))) return end;
        spdlog::warn("migration {}: {}; it is taken up there as after a restart", current_.id, why.message);
        give_up_work();
        SLUICE_TRY_VOID(wait_for_server(why));
    }
}

outcome<void> migration_run::wait_for_server(failure why) {
    while (true) {
        wait_for("the server: " + why.message);
        publish();
        {
            std::unique_lock lock(mutex_);
            woken_.wait_for(lock, away_wait);
        }
        if (interrupted()) return interruption();
        auto left = leave_server();
        if (left) return left;
        if (left.error().then == disposition::abort && !is_server_away(left.error())) return left;
        why = std::move(left).error();
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
    group_seat_.leave("waits for the server");
    control_.close();
    stream_guard_ = {};
    applied_place_ = {};
    checkpoint_begun_ = false;
    may_go_on_ = false;
    goes_on_ = false;
    claimed_ = false;
    SLUICE_TRY_VOID(require_unended());
    SLUICE_TRY(auto known, environment_.store.load(control_, history_max));
    tables_made_ = {};
    swap_possible_ = false;
    const auto stored = std::ranges::find(known, current_.id, &migration_snapshot::id);
    if (stored != known.end()) {
        stored->spec = std::move(current_.spec);  // what was changed last may not have come there
        current_ = std::move(*stored);
    } else {
        current_.state = migration_state::queued;
        current_.checkpoint.clear();
    }
    found_state_ = current_.state;
    const std::lock_guard lock(mutex_);
    settled_ = found_state_ == migration_state::queued;
    behind_cutover_ = let_go_ = false;
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

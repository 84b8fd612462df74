// The part of a migration that has to do with other servers than the one that it works on: the replica whose binary log
// is read, and the replication of a replica that is altered for a trial.

#include "migration/apply/server_position.hpp"
#include "migration/check/preconditions.hpp"
#include "migration/check/replica_status.hpp"
#include "migration/check/server_variables.hpp"
#include "migration/engine/migration_run.hpp"
#include "migration/engine/stopped_trial.hpp"
#include "migration/sql/identifier.hpp"
#include "migration/sql/table_statements.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace sluice::migration {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds tick_wait{100};
constexpr std::chrono::seconds barrier_max{60};
constexpr std::chrono::seconds visible_max{60};
constexpr std::chrono::seconds standstill_interval{5};
constexpr int swap_back_attempts_max = 10;

/// The members of `set` that this server, or any but this server, has begun.
binlog::gtid_set of_server(const binlog::gtid_set& set, const std::string& uuid, bool by_it) {
    // "uuid:1-5:7:tag:1-3,uuid:1": the tags of a server are not known beforehand.
    const std::string text = set.to_string();
    std::string kept;
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = std::min(text.find(',', begin), text.size());
        const std::string one = text.substr(begin, end - begin);
        if (one.starts_with(uuid) == by_it) kept += (kept.empty() ? "" : ",") + one;
        begin = end + 1;
    }
    auto parsed = binlog::gtid_set::parse(kept);
    SLUICE_ASSERT(parsed.has_value());
    return std::move(parsed).value();
}

}  // namespace

checked_role migration_run::role_of_server() const {
    return {.is_replica = environment_.roles.works_on_replica,
            .log_is_read_at_replica = environment_.roles.log_server != nullptr};
}

outcome<void> migration_run::meet_log_server(const server_facts& facts) {
    if (!environment_.roles.log_server) return {};
    log_server_.emplace(*environment_.roles.log_server);
    return log_server_->begin(current_.spec, facts);
}

outcome<void> migration_run::plan_log_server() {
    if (!log_server_) return {};
    migration_plan& plan = prepared_->plan;
    if (!plan.follow_by_gtid) plan.markers = changelog_ ? changelog_->numbers() : std::make_shared<marker_numbers>();
    SLUICE_TRY(plan.log_server_uuid, log_server_->uuid());
    return {};
}

// The replica may be behind. What it has to catch up with lies before the migration: definitions of the table that are
// no more, and changes that the copy will see anyhow. The stream begins behind all of that.
outcome<stream_position> migration_run::begin_of_log() {
    const migration_plan& plan = prepared_->plan;
    if (!log_server_) return read_server_position(control_, plan);
    SLUICE_TRY(const std::uint64_t marker, changelog_->write_marker(runner()));
    SLUICE_TRY(stream_position last, log_server_->position(plan));
    auto moved_at = steady_clock::now();
    auto asked_at = moved_at - standstill_interval;
    while (true) {
        const auto arrived = log_server_->has_marker(plan, marker);
        if (!arrived && arrived.error().then != disposition::retry) return arrived.error();
        if (arrived && *arrived) break;
        const auto now = steady_clock::now();
        if (now - asked_at >= standstill_interval) {
            asked_at = now;
            const std::string why = log_server_->standstill();
            wait_for("the replica whose binary log is read, to catch up with its master" +
                     (why.empty() ? "" : ": " + why));
        }
        if (const auto position = log_server_->position(plan); position && !last.reached(*position)) {
            last = *position;
            moved_at = now;
        }
        if (now - moved_at > barrier_max) {
            return refuse("replica_behind", "a row written to " + quote_table(plan.changelog) +
                                                " did not reach the replica, and its binary log has stood still for a "
                                                "minute");
        }
        SLUICE_TRY_VOID(tick(tick_wait));
    }
    wait_for("");
    SLUICE_TRY(stream_position begin, log_server_->position(plan));
    if (begin.executed) SLUICE_TRY_VOID(wait_until_visible(*begin.executed));
    return begin;
}

// The replica may have a transaction that is not visible on its master yet (a semi-synchronous commit that waits for
// somebody else): it lies before the begin of the stream, and the copy must see it. Without GTIDs the copy's locking
// reads wait for it. What the replica has and the master never will is not waited for: its own transactions, and those
// of others, unless the master is a replica as well.
outcome<void> migration_run::wait_until_visible(const binlog::gtid_set& executed) {
    const migration_plan& plan = prepared_->plan;
    SLUICE_TRY(const auto variables, read_global_variables(control_, {"server_uuid"}));
    const auto sources = read_replica_status(control_);
    const bool on_top = sources && sources->empty();
    const auto until = steady_clock::now() + visible_max;
    while (true) {
        SLUICE_TRY(const stream_position visible, read_server_position(control_, plan));
        binlog::gtid_set missing = executed;
        missing.subtract(*visible.executed);
        missing = on_top ? of_server(missing, value_of(variables, "server_uuid"), true)
                         : of_server(missing, plan.log_server_uuid, false);
        if (missing.empty()) return {};
        if (steady_clock::now() > until) {
            return refuse("replica_ahead",
                          "the replica whose binary log is read has transactions that its master has "
                          "not: " +
                              missing.to_string());
        }
        wait_for("transactions that the replica has and that are not visible on its master yet: " +
                 missing.to_string());
        SLUICE_TRY_VOID(tick(tick_wait));
    }
}

outcome<void> migration_run::see_first_marker(std::uint64_t marker) {
    const auto until = steady_clock::now() + barrier_max;
    while (!ledger_->wait_marker(marker, steady_clock::now() + tick_wait)) {
        SLUICE_TRY_VOID(tick(milliseconds(0)));
        if (log_server_) {
            // For as long as it comes nearer.
            SLUICE_TRY_VOID(stream_guard_.marker(false, ledger_->count().position, steady_clock::now()));
        } else if (steady_clock::now() > until) {
            return refuse("stream_silent", "a row written to " + quote_table(prepared_->plan.changelog) +
                                               " did not come back in the binary log within a minute");
        }
    }
    return {};
}

std::string migration_run::why_stream_is_behind() {
    if (!log_server_) return "the binary-log stream, which is behind the server";
    const std::string why = log_server_->standstill();
    return "the replica whose binary log is read, which is behind its master" + (why.empty() ? "" : ": " + why);
}

outcome<void> migration_run::stop_replication() {
    if (!environment_.roles.replication) return {};
    const migration_plan& plan = prepared_->plan;
    SLUICE_TRY_VOID(note_stopped(runner(), plan.changelog, {lock_, plan.old_table.table}));
    replication_stopped_ = true;
    return environment_.roles.replication->stop();
}

outcome<void> migration_run::start_replication() {
    if (!std::exchange(replication_stopped_, false)) return {};
    SLUICE_TRY_VOID(environment_.roles.replication->start());
    // Otherwise the next run may start what somebody else has stopped; no harm that would end this one.
    (void)forget_stopped(runner(), prepared_->plan.changelog).has_error();
    return {};
}

outcome<void> migration_run::swap_back() {
    const migration_plan& plan = prepared_->plan;
    for (int attempt = 1;; ++attempt) {
        auto done = swap_tables_back([this](std::string_view sql) { return control_.run(sql); }, plan);
        if (done) break;
        failure why = std::move(done).error();
        if (why.then != disposition::retry || attempt == swap_back_attempts_max || stop_requested_) {
            why.message = "the tables could not be swapped back: " + quote_table(plan.original) +
                          " is the new table, and the old one is " + quote_table(plan.old_table) + ": " + why.message;
            why.then = disposition::abort;
            return why;
        }
    }
    swap_possible_ = false;
    return {};
}

void migration_run::tidy_trial() {
    const migration_plan& plan = prepared_->plan;
    enter(migration_state::tidying);
    throttler_.reset();
    current_.leftovers = {quote_table(plan.ghost)};
    if (auto dropped = run_control(drop_table_statement(plan.changelog)); !dropped) {
        spdlog::warn("migration {}: {} could not be dropped: {}", current_.id, quote_table(plan.changelog),
                     dropped.error().message);
        current_.leftovers.push_back(quote_table(plan.changelog));
    }
}

// The swap drops the foreign keys of the old table; swapped back, it would be without them.
outcome<void> migration_run::check_trial() const {
    const auto& found = prepared_->plan.relations.found;
    if (!environment_.roles.replication || found.empty()) return {};
    return refuse(found.own.empty() ? "referencing_foreign_keys" : "foreign_keys",
                  quote_table(prepared_->plan.original) +
                      " has foreign keys, or is referred to by some: a trial that swaps the tables and swaps them back "
                      "would lose them");
}

}  // namespace sluice::migration

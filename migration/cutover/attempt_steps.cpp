// The steps of an attempt, in their order.

#include "migration/apply/apply_batch.hpp"
#include "migration/apply/value_loss.hpp"
#include "migration/cutover/attempt_pace.hpp"
#include "migration/cutover/attempt_run.hpp"
#include "migration/cutover/group_sentry_swap.hpp"
#include "migration/cutover/swap_check.hpp"
#include "migration/family/lock_holders.hpp"
#include "migration/relations/relation_steps.hpp"
#include "migration/sql/identifier.hpp"
#include "migration/sql/table_statements.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

namespace sluice::migration {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// What the lock session may take for the last changes; more means that the applier is behind and should go on first.
constexpr std::uint64_t last_keys_max = 5'000;
// The applier's last batch comes to its end; renaming the ghost waits for whoever reads it. The gate is still open.
constexpr milliseconds prepare_max{1'000};

// AUTO_INCREMENT=n among the table options of SHOW CREATE TABLE; 0 when there is none. The options stand on the last
// line that begins with ")", behind every quoted name and comment of a column.
std::uint64_t auto_increment_of(const std::string& create_statement) {
    const auto options = create_statement.rfind("\n)");
    if (options == std::string::npos) return 0;
    constexpr std::string_view word = " AUTO_INCREMENT=";
    const auto place = create_statement.find(word, options);
    if (place == std::string::npos) return 0;
    std::uint64_t value = 0;
    const char* begin = create_statement.data() + place + word.size();
    std::from_chars(begin, create_statement.data() + create_statement.size(), value);
    return value;
}

}  // namespace

outcome<void> attempt_run::connect() {
    SLUICE_TRY_VOID(session_.connect());
    // A network that is cut tells the server nothing, and KILL does not get through either: by itself it would wait for
    // the lock, or keep it for a session that says nothing, for as long as its limits allow. No step waits longer than
    // the longer of these two before it sends its next statement.
    const auto longest = std::max<milliseconds>(first().options.hold_budget, prepare_max);
    const std::string limit = std::to_string(std::chrono::floor<std::chrono::seconds>(longest).count() + 1);
    SLUICE_TRY_VOID(session_.run("SET SESSION wait_timeout = " + limit + ", lock_wait_timeout = " + limit));
    if (first().markers) {
        SLUICE_TRY(marking_, executor_.connect());
    }
    SLUICE_TRY(auto killer, executor_.connect());
    watch_ = around_.watch(std::move(killer), session_.raw().connection_id());
    return look_at_names();
}

// With the gate still open, and member by member: LOCK TABLES and RENAME TABLE fail for all, whose table it ever is.
outcome<void> attempt_run::look_at_names() {
    return for_each_member([&](member& one) { return check_swap_names(runner(), one.usual); });
}

// With the gate still open: nobody is held while a batch of the applier comes to its end.
outcome<void> attempt_run::park() {
    return timed("park", [&] {
        const auto until = around_.now() + prepare_max;
        return for_each_member([&](member& one) -> outcome<void> {
            if (around_.park_batches(one.ledger, until)) return {};
            return give_up("a batch of changes did not end in time");
        });
    });
}

outcome<void> attempt_run::prepare_sentry() {
    if (first().rename_under_lock) return {};
    return timed("names", [&]() -> outcome<void> {
        const auto until = around_.now() + prepare_max;
        if (members_.size() == 1) {
            sentry_ = std::make_unique<sentry_swap>(first(), members_.front().usual.ghost, executor_, around_);
        } else {
            std::vector<group_sentry_swap::member> group;
            for (const member& one : members_) group.push_back({&one.plan, &one.usual.ghost, &one.ledger});
            sentry_ = std::make_unique<group_sentry_swap>(std::move(group), executor_, around_);
        }
        watch_->arm(until);
        auto prepared = sentry_->prepare(session_.raw());
        if (watch_->disarm()) return give_up("the ghost table is in use by somebody else");
        return prepared;
    });
}

outcome<void> attempt_run::close_and_drain() {
    deadline_ = around_.now() + budget_;
    SLUICE_TRY_VOID(timed("close", [&]() -> outcome<void> {
        gate_.close(deadline_);
        return {};
    }));
    return timed("drain", [&]() -> outcome<void> {
        // Most of the budget may go here at most; what follows needs its share.
        if (!gate_.wait_drained(std::min(deadline_ - budget_ / 3, around_.now() + patience()))) {
            report_.blockers = gate_.blockers();
            return give_up("statements or transactions on the table did not end in time");
        }
        return {};
    });
}

milliseconds attempt_run::patience() const { return patience_of(report_.number, budget_); }

// Tables that are related to two members, or a member that is related to another, are locked once.
std::vector<table_name> attempt_run::tables_to_lock() const {
    std::vector<table_name> tables;
    const auto add = [&tables](const table_name& table) {
        if (std::find(tables.begin(), tables.end(), table) == tables.end()) tables.push_back(table);
    };
    for (const member& one : members_) {
        add(one.plan.original);
        add(one.plan.ghost);
    }
    if (sentry_) {
        for (const auto& table : sentry_->also_locked()) add(table);
    }
    for (const member& one : members_) {
        for (const auto& table : one.plan.relations.related_tables) add(table);
    }
    return tables;
}

// MariaDB ends a statement by itself after a fraction of a second, LOCK TABLES too: so it does not wait on behind the
// gate's deadline when a KILL does not get through. A pending lock makes a transaction that has read, and then writes,
// a deadlock's victim. Elsewhere lock_wait_timeout is all there is, in seconds.
outcome<void> attempt_run::limit_next_statement(steady_clock::time_point until) {
    if (first().family->product() != "MariaDB") return {};
    const auto left = std::chrono::duration_cast<milliseconds>(until - around_.now());
    if (left <= milliseconds(0)) return give_up("the hold budget was spent before the lock");
    char limit[32];
    std::snprintf(limit, sizeof limit, "%.3f", static_cast<double>(left.count()) / 1000.0);
    SLUICE_TRY_VOID(run("SET SESSION max_statement_time = " + std::string(limit)));
    return {};
}

outcome<void> attempt_run::lift_statement_limit() {
    if (first().family->product() != "MariaDB") return {};
    SLUICE_TRY_VOID(run("SET SESSION max_statement_time = 0"));
    return {};
}

outcome<void> attempt_run::lock() {
    return timed("lock", [&]() -> outcome<void> {
        const auto until = std::min(deadline_ - budget_ / 10, around_.now() + patience());
        SLUICE_TRY_VOID(limit_next_statement(until));
        watch_->arm(until);
        auto locked = run(lock_tables_statement(tables_to_lock()));
        const bool killed = watch_->disarm();
        if (!locked && (killed || locked.error().then == disposition::retry)) {
            for (const member& one : members_) {
                const auto holders = lock_holders(*one.plan.family, one.plan.original, session_.raw());
                report_.blockers.insert(report_.blockers.end(), holders.begin(), holders.end());
            }
            if (report_.blockers.empty()) report_.blockers = open_transactions(*first().family, session_.raw());
            return give_up("the table's lock was not to be had in time");
        }
        if (!locked) return std::move(locked).error();
        if (killed) return give_up("the lock came too late");
        return lift_statement_limit();
    });
}

// A marker is written by a session without locks: the lock session may write to nothing but what it has locked.
outcome<stream_position> attempt_run::end_of_log() {
    if (!first().markers) return read_server_position(runner(), first());
    return read_place_to_reach([this](std::string_view sql) { return marking_->run(sql); }, first());
}

outcome<void> attempt_run::read_to_the_end() {
    return timed("position", [&]() -> outcome<void> {
        // Read after the lock: whoever changed the table has committed, and nobody can any more.
        SLUICE_TRY(const stream_position end, end_of_log());
        return for_each_member([&](member& one) -> outcome<void> {
            if (!around_.wait_read_through(one.ledger, end, deadline_)) {
                return give_up("the binary log was not read to its end in time");
            }
            // On MariaDB, and after a restart elsewhere, a prepared transaction that has lost its connection holds no
            // metadata lock: its XA COMMIT would change the old table.
            if (const auto xids = one.ledger.prepared(); !xids.empty()) {
                return give_up("prepared XA transactions have changed the table: " + xids.front());
            }
            return {};
        });
    });
}

outcome<void> attempt_run::apply_last_of(member& one) {
    if (one.ledger.count().backlog_keys > last_keys_max) return give_up("too many changes were left to apply");
    const work_ledger::batch last = one.ledger.take_all();
    // The table's lock does not vouch for XA transactions, which may be logged and yet not committed in the engine: a
    // locking read waits for their rows, whatever the server.
    migration_plan locking = one.plan;
    locking.lock = read_lock::share;
    watch_->arm(deadline_);
    auto applied = apply_batch(locking, runner(), last.keys, batch_commit::by_statement, true);
    if (watch_->disarm() && applied) applied = give_up("the last changes were applied too late");
    if (applied) {
        one.ledger.batch_applied(last);
        return {};
    }
    one.ledger.batch_failed(last);
    if (is_value_loss(applied.error())) return value_loss(one.plan, applied.error());
    return applied;
}

outcome<void> attempt_run::apply_last() {
    return timed("apply", [&] { return for_each_member([&](member& one) { return apply_last_of(one); }); });
}

outcome<void> attempt_run::carry_auto_increment(const migration_plan& plan) {
    // The ghost's counter began where the ALTER says, and has risen above every id that was copied since.
    if (plan.explicit_auto_increment) return {};
    std::uint64_t next[2] = {0, 0};
    const std::array tables{plan.original, plan.ghost};
    for (std::size_t i = 0; i < tables.size(); ++i) {
        SLUICE_TRY(const query_result shown, run("SHOW CREATE TABLE " + quote_table(tables[i])));
        if (!shown.rows.empty() && shown.rows[0].size() > 1) next[i] = auto_increment_of(shown.rows[0][1].value_or(""));
    }
    if (next[0] <= next[1]) return {};
    SLUICE_TRY_VOID(run("ALTER TABLE " + quote_table(plan.ghost) + " AUTO_INCREMENT = " + std::to_string(next[0])));
    return {};
}

outcome<void> attempt_run::relate(member& one) {
    SLUICE_TRY_VOID(carry_auto_increment(one.plan));
    SLUICE_TRY_VOID(check_relations_unchanged(session_.raw(), one.usual));
    if (one.plan.relations.empty()) return {};
    one.ghost_related = true;
    watch_->arm(deadline_);
    auto related = relate_ghost(session_.raw(), one.plan);
    if (watch_->disarm()) return give_up("triggers and foreign keys could not be made in time");
    return related;
}

outcome<void> attempt_run::relate() {
    return timed("relations", [&] { return for_each_member([&](member& one) { return relate(one); }); });
}

// A gate that has opened by itself has let go whoever has an older view of the table, for good: no swap may follow.
outcome<void> attempt_run::announce_swap() {
    SLUICE_TRY_VOID(for_each_member([](const member& one) -> outcome<void> {
        if (one.told_otherwise && one.told_otherwise()) return give_up("it was told otherwise meanwhile");
        return {};
    }));
    if (gate_.announce_swap(deadline_)) return {};
    return give_up("the gate had opened by itself, or was full, before the rename");
}

outcome<void> attempt_run::swap() {
    return timed("rename", [&]() -> outcome<void> {
        // A rename that outlasts the hold leaves it to the gate to presume what became of it.
        if (around_.now() >= deadline_ - budget_ / 10) return give_up("the hold budget was spent before the rename");
        if (sentry_) return sentry_->change_places(session_.raw(), deadline_, [this] { return announce_swap(); });
        SLUICE_TRY_VOID(announce_swap());
        std::vector<table_swap> swaps;
        for (const member& one : members_) swaps.push_back({one.plan.original, one.plan.ghost, one.plan.old_table});
        may_have_swapped_ = true;
        SLUICE_TRY_VOID(run(swap_statement(swaps)));
        return {};
    });
}

outcome<void> attempt_run::release_old() {
    const auto has_keys = [](const member& one) { return !one.plan.relations.found.empty(); };
    if (std::none_of(members_.begin(), members_.end(), has_keys)) return {};
    return timed("release", [&] {
        return for_each_member([&](member& one) -> outcome<void> {
            if (!has_keys(one)) return {};
            return release_old_table(session_.raw(), one.plan, sentry_ == nullptr);
        });
    });
}

outcome<void> attempt_run::all_steps() {
    SLUICE_TRY_VOID(timed("connect", [&] { return connect(); }));
    SLUICE_TRY_VOID(park());
    SLUICE_TRY_VOID(prepare_sentry());
    SLUICE_TRY_VOID(close_and_drain());
    SLUICE_TRY_VOID(lock());
    SLUICE_TRY_VOID(read_to_the_end());
    SLUICE_TRY_VOID(apply_last());
    SLUICE_TRY_VOID(relate());
    SLUICE_TRY_VOID(swap());
    return release_old();
}

}  // namespace sluice::migration

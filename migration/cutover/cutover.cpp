#include "migration/cutover/cutover.hpp"

#include "migration/apply/apply_batch.hpp"
#include "migration/apply/value_loss.hpp"
#include "migration/cutover/sentry_swap.hpp"
#include "migration/cutover/statement_watch.hpp"
#include "migration/cutover/swap_check.hpp"
#include "migration/family/lock_holders.hpp"
#include "migration/ports/reconnecting_session.hpp"
#include "migration/relations/relation_steps.hpp"
#include "migration/sql/identifier.hpp"
#include "migration/sql/table_statements.hpp"

#include <array>
#include <charconv>
#include <utility>
#include <vector>

namespace sluice::migration {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

// What the lock session may take for the last changes; more means that the applier is behind and should go on first.
constexpr std::uint64_t last_keys_max = 5'000;
// Renaming the ghost waits for whoever reads it. The gate is still open.
constexpr milliseconds prepare_names_max{1'000};

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

/// The state of one attempt, so that each step is a short function.
struct cutover::attempt_run {
    const migration_plan& usual;  ///< as it is outside of the attempt
    const migration_plan& plan;   ///< with the names that the tables have during it
    work_ledger& ledger;
    sql_executor& executor;
    table_gate& gate;
    steady_clock::time_point deadline{};
    cutover_attempt report{};
    reconnecting_session session;
    std::unique_ptr<statement_watch> watch{};
    std::unique_ptr<sentry_swap> sentry{};  ///< where the server refuses RENAME TABLE under LOCK TABLES
    bool may_have_swapped = false;
    bool ghost_related = false;  ///< triggers or foreign keys may have been made on the ghost

    // A step's error code "given_up" ends the attempt without blame; any other code is weighed by its disposition.
    static failure give_up(std::string why) { return refuse("given_up", std::move(why)); }

    template <class Step>
    outcome<void> timed(const char* name, Step step) {
        const auto began = steady_clock::now();
        outcome<void> done = step();
        report.steps.push_back({name, std::chrono::duration_cast<microseconds>(steady_clock::now() - began)});
        return done;
    }

    outcome<void> connect();
    outcome<void> prepare_sentry();
    outcome<void> close_and_drain();
    outcome<void> lock();
    outcome<void> read_to_the_end();
    outcome<void> apply_last();
    outcome<void> carry_auto_increment();
    outcome<void> relate();
    outcome<void> swap();
    outcome<void> release_old();
    outcome<void> all_steps();
    void release(sql_session& on, const migration_plan& names);
    cutover_outcome conclude(const outcome<void>& done);
    cutover_end ask_the_server(std::optional<failure>& why);
    // Never reconnects by itself: a new connection would not have the lock.
    outcome<query_result> run(std::string_view sql) { return session.raw().run(sql); }
    statement_runner runner() {
        return [this](std::string_view sql) { return run(sql); };
    }
};

outcome<void> cutover::attempt_run::connect() {
    SLUICE_TRY_VOID(session.connect());
    SLUICE_TRY(auto killer, executor.connect());
    watch = std::make_unique<statement_watch>(std::move(killer), session.raw().connection_id());
    return {};
}

outcome<void> cutover::attempt_run::prepare_sentry() {
    if (plan.rename_under_lock) return {};
    return timed("names", [&]() -> outcome<void> {
        const auto until = steady_clock::now() + prepare_names_max;
        if (!ledger.park_batches(until)) return give_up("a batch of changes did not end in time");
        sentry = std::make_unique<sentry_swap>(plan, executor);
        watch->arm(until);
        auto prepared = sentry->prepare(session.raw(), usual.ghost);
        if (watch->disarm()) return give_up("the ghost table is in use by somebody else");
        return prepared;
    });
}

outcome<void> cutover::attempt_run::close_and_drain() {
    deadline = steady_clock::now() + plan.options.hold_budget;
    SLUICE_TRY_VOID(timed("close", [&]() -> outcome<void> {
        gate.close(deadline);
        return {};
    }));
    return timed("drain", [&]() -> outcome<void> {
        // Most of the budget may go here; what follows needs its share.
        if (!gate.wait_drained(deadline - plan.options.hold_budget / 3)) {
            report.blockers = gate.blockers();
            return give_up("statements or transactions on the table did not end in time");
        }
        if (!ledger.park_batches(deadline)) return give_up("a batch of changes did not end in time");
        return {};
    });
}

outcome<void> cutover::attempt_run::lock() {
    return timed("lock", [&]() -> outcome<void> {
        std::vector<table_name> tables{plan.original, plan.ghost};
        if (sentry) tables.push_back(plan.old_table);
        const auto& related = plan.relations.related_tables;
        tables.insert(tables.end(), related.begin(), related.end());
        watch->arm(deadline - plan.options.hold_budget / 10);
        auto locked = run(lock_tables_statement(tables));
        const bool killed = watch->disarm();
        if (!locked && (killed || locked.error().then == disposition::retry)) {
            report.blockers = lock_holders(*plan.family, plan.original, session.raw());
            if (report.blockers.empty()) report.blockers = open_transactions(*plan.family, session.raw());
            return give_up("the table's lock was not to be had in time");
        }
        if (!locked) return std::move(locked).error();
        if (killed) return give_up("the lock came too late");
        return {};
    });
}

outcome<void> cutover::attempt_run::read_to_the_end() {
    return timed("position", [&]() -> outcome<void> {
        // Read after the lock: whoever changed the table has committed, and nobody can any more.
        SLUICE_TRY(const stream_position end, read_server_position(runner(), plan));
        if (!ledger.wait_read_through(end, deadline)) return give_up("the binary log was not read to its end in time");
        // On MariaDB, and after a restart elsewhere, a prepared transaction that has lost its connection holds no
        // metadata lock: its XA COMMIT would change the old table.
        if (const auto xids = ledger.prepared(); !xids.empty()) {
            return give_up("prepared XA transactions have changed the table: " + xids.front());
        }
        return {};
    });
}

outcome<void> cutover::attempt_run::apply_last() {
    return timed("apply", [&]() -> outcome<void> {
        if (ledger.count().backlog_keys > last_keys_max) return give_up("too many changes were left to apply");
        const work_ledger::batch last = ledger.take_all();
        // The table's lock does not vouch for XA transactions, which may be logged and yet not committed in the engine:
        // a locking read waits for their rows, whatever the server.
        migration_plan locking = plan;
        locking.lock = read_lock::share;
        watch->arm(deadline);
        auto applied = apply_batch(locking, runner(), last.keys, batch_commit::by_statement, true);
        if (watch->disarm() && applied) applied = give_up("the last changes were applied too late");
        if (!applied) {
            ledger.batch_failed(last);
            if (is_value_loss(applied.error())) return value_loss(plan, applied.error());
            return applied;
        }
        ledger.batch_applied(last);
        return {};
    });
}

outcome<void> cutover::attempt_run::carry_auto_increment() {
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

outcome<void> cutover::attempt_run::relate() {
    return timed("relations", [&]() -> outcome<void> {
        SLUICE_TRY_VOID(carry_auto_increment());
        SLUICE_TRY_VOID(check_relations_unchanged(session.raw(), usual));
        if (plan.relations.empty()) return {};
        ghost_related = true;
        watch->arm(deadline);
        auto related = relate_ghost(session.raw(), plan);
        if (watch->disarm()) return give_up("triggers and foreign keys could not be made in time");
        return related;
    });
}

outcome<void> cutover::attempt_run::release_old() {
    if (plan.relations.found.empty()) return {};
    return timed("release", [&] { return release_old_table(session.raw(), plan, sentry == nullptr); });
}

// Before the applier writes to the ghost again, what the attempt has made of it must be gone.
void cutover::attempt_run::release(sql_session& on, const migration_plan& names) {
    constexpr int attempts_max = 3;  // a lost connection comes back
    for (int attempt = 0; ghost_related && attempt < attempts_max; ++attempt) {
        const auto released = release_ghost(on, names);
        if (released) ghost_related = false;
        if (!released && released.error().then != disposition::retry) return;
    }
}

outcome<void> cutover::attempt_run::swap() {
    return timed("rename", [&]() -> outcome<void> {
        if (steady_clock::now() >= deadline) return give_up("the hold budget was spent before the rename");
        if (sentry) return sentry->swap(session.raw(), deadline);
        may_have_swapped = true;
        SLUICE_TRY_VOID(run(swap_statement(plan.original, plan.ghost, plan.old_table)));
        return {};
    });
}

outcome<void> cutover::attempt_run::all_steps() {
    SLUICE_TRY_VOID(connect());
    SLUICE_TRY_VOID(prepare_sentry());
    SLUICE_TRY_VOID(close_and_drain());
    SLUICE_TRY_VOID(lock());
    SLUICE_TRY_VOID(read_to_the_end());
    SLUICE_TRY_VOID(apply_last());
    SLUICE_TRY_VOID(relate());
    SLUICE_TRY_VOID(swap());
    return release_old();
}

cutover_end cutover::attempt_run::ask_the_server(std::optional<failure>& why) {
    // The lost connection may still be at it. It is ended for certain, and then the server is asked.
    if (auto replaced = session.replace(); !replaced) {
        why = std::move(replaced).error();
        return cutover_end::unknown;
    }
    const auto state = settle_swap(runner(), usual);
    if (!state) {
        why = state.error();
        return cutover_end::unknown;
    }
    return *state == swap_state::swapped ? cutover_end::swapped : cutover_end::given_up;
}

cutover_outcome cutover::attempt_run::conclude(const outcome<void>& done) {
    cutover_outcome result;
    if (done) {
        result.end = cutover_end::swapped;
    } else {
        const failure& why = done.error();
        report.given_up_because = why.message;
        const bool hopeless = why.code != "given_up" && why.then == disposition::abort && why.server_errno != 1317;
        result.end = hopeless ? cutover_end::failed : cutover_end::given_up;
        if (hopeless) result.why = why;
        // After an attempt with a sentry the tables must get their usual names back in any case.
        if (may_have_swapped || sentry || why.then == disposition::outcome_unknown) {
            const cutover_end end = ask_the_server(result.why);
            if (end != cutover_end::given_up) result.end = end;
        }
    }
    if (result.end == cutover_end::given_up || result.end == cutover_end::failed) {
        release(session, usual);
        if (ghost_related) {
            result.end = cutover_end::failed;
            result.why = refuse("ghost_not_released", "triggers or foreign keys that the cut-over had made on " +
                                                          quote_table(usual.ghost) + " could not be taken back");
        }
    }
    if (result.end == cutover_end::swapped) {
        if (!done) (void)release_old_table(session, usual, false).has_error();
        report.succeeded = true;
        report.given_up_because.clear();
        result.why.reset();
    }
    return result;
}

cutover::cutover(const migration_plan& plan, work_ledger& ledger, sql_executor& executor, table_gate& gate)
    : plan_(plan),
      plan_in_attempt_(plan.rename_under_lock ? plan : with_swap_names(plan)),
      ledger_(ledger),
      executor_(executor),
      gate_(gate) {}

cutover_outcome cutover::attempt(std::uint32_t number) {
    attempt_run run{.usual = plan_,
                    .plan = plan_in_attempt_,
                    .ledger = ledger_,
                    .executor = executor_,
                    .gate = gate_,
                    .session = reconnecting_session(executor_, [this] { return ledger_.stopping(); })};
    run.report.number = number;
    const outcome<void> done = run.all_steps();
    const outcome<void> opened = run.timed("open", [&]() -> outcome<void> {
        // Unlock before opening: what is released must find the table, not a lock. A lost connection unlocks by itself,
        // and what becomes of it is settled in conclude().
        if (run.session.connected()) {
            if (!done && !run.may_have_swapped) run.release(run.session.raw(), run.plan);
            (void)run.run("UNLOCK TABLES").has_error();
        }
        run.report.hold = gate_.open();
        return {};
    });
    if (run.sentry) run.sentry->end();
    SLUICE_ASSERT(opened.has_value());
    cutover_outcome result = run.conclude(done);
    // While it is unknown which table is which, nothing may be written to one of them.
    const bool not_swapped = result.end == cutover_end::given_up || result.end == cutover_end::failed;
    if (not_swapped && !run.ghost_related) ledger_.unpark_batches();
    result.report = std::move(run.report);
    return result;
}

}  // namespace sluice::migration

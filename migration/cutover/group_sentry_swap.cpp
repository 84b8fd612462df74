#include "migration/cutover/group_sentry_swap.hpp"

#include "migration/apply/server_position.hpp"
#include "migration/sql/identifier.hpp"
#include "migration/sql/table_statements.hpp"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

namespace sluice::migration {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds look_interval{1};
constexpr milliseconds kill_interval{50};

failure give_up(std::string why) { return refuse("given_up", std::move(why)); }

// As the keys of metadata locks are compared: by bytes, the schema first.
bool locked_before(const table_name& a, const table_name& b) {
    return std::tie(a.schema, a.table) < std::tie(b.schema, b.table);
}

}  // namespace

group_sentry_swap::group_sentry_swap(std::vector<member> members, sql_executor& executor, attempt_surroundings& around)
    : members_(std::move(members)), executor_(executor), around_(around), rename_(executor, around) {
    SLUICE_ASSERT(members_.size() > 1);
    std::sort(members_.begin(), members_.end(),
              [](const member& a, const member& b) { return locked_before(a.plan->original, b.plan->original); });
    for (const member& one : members_) {
        originals_.push_back(one.plan->original);
        if (sentry_.table.empty() || locked_before(sentry_, one.plan->old_table)) {
            sentry_ = one.plan->old_table;
            last_ghost_ = one.plan->ghost;
        }
    }
}

group_sentry_swap::~group_sentry_swap() { end(); }

outcome<void> group_sentry_swap::prepare(sql_session& session) {
    SLUICE_TRY_VOID(check_lock_priority(session));
    const bool behind_all = std::all_of(originals_.begin(), originals_.end(),
                                        [&](const auto& table) { return locked_before(table, last_ghost_); });
    if (!behind_all) {
        return refuse("group_names", "the name " + quote_table(originals_.back()) + " sorts behind " +
                                         quote_table(last_ghost_) +
                                         ": this server cannot swap it together with the others; migrate it alone");
    }
    const auto budget = members_.front().plan->options.hold_budget;
    SLUICE_TRY_VOID(rename_.connect(budget));
    SLUICE_TRY(keeper_, executor_.connect());
    SLUICE_TRY(killer_, executor_.connect());
    const auto wait_max = std::chrono::ceil<std::chrono::seconds>(budget);
    for (std::size_t i = 1; i < originals_.size(); ++i) {
        SLUICE_TRY(auto guarding, executor_.connect());
        SLUICE_TRY_VOID(guarding->run("SET SESSION lock_wait_timeout = " + std::to_string(wait_max.count())));
        guards_.push_back({originals_[i], std::move(guarding), nullptr});
    }
    SLUICE_TRY_VOID(session.run(create_sentry_statement(sentry_)));
    for (const member& one : members_) {
        const std::array renames{table_rename{*one.usual_ghost, one.plan->ghost}};
        SLUICE_TRY_VOID(session.run(rename_statement(renames)));
    }
    const std::array sentry{sentry_};
    SLUICE_TRY_VOID(keeper_->run(lock_tables_statement(sentry)));
    return {};
}

outcome<void> group_sentry_swap::place_guards(steady_clock::time_point deadline) {
    for (guard& one : guards_) {
        const std::array table{one.table};
        one.locking = around_.start(*one.session, lock_tables_statement(table));
    }
    while (true) {
        SLUICE_TRY(const lock_waits waiting, read_lock_waits(*keeper_));
        if (std::all_of(guards_.begin(), guards_.end(),
                        [&](const guard& one) { return waiting.has(one.session->connection_id()); })) {
            return {};
        }
        if (around_.now() >= deadline) return give_up("the group's tables could not be guarded in time");
        around_.sleep_for(look_interval);
    }
}

outcome<bool> group_sentry_swap::is_out_of_sight(const table_name& table) {
    SLUICE_TRY(const query_result seen,
               keeper_->run("SELECT table_comment FROM information_schema.tables WHERE table_schema = " +
                            quote_string(table.schema) + " AND table_name = " + quote_string(table.table) +
                            " AND table_comment IS NOT NULL"));
    return seen.rows.empty();
}

outcome<void> group_sentry_swap::see_it_hold(const table_name& table, steady_clock::time_point deadline) {
    while (true) {
        if (rename_.has_ended()) return give_up("the rename ended before its time");
        SLUICE_TRY(const bool holds, is_out_of_sight(table));
        if (holds) return {};
        if (around_.now() >= deadline) return give_up("the rename did not get " + quote_table(table) + " in time");
        around_.sleep_for(look_interval);
    }
}

outcome<void> group_sentry_swap::relieve_guards(steady_clock::time_point deadline) {
    for (guard& one : guards_) {
        if (!one.locking->wait_ended(deadline)) return give_up(quote_table(one.table) + " was not guarded in time");
        auto locked = one.locking->result();
        if (!locked) return std::move(locked).error();
    }
    for (std::size_t i = 0; i < guards_.size(); ++i) {
        // It has the table before and waits: for this one, unless what is seen is the end of its wait for the one
        // before. A second look, later, is to tell the two apart; if it does not, step 5 finds what came between.
        SLUICE_TRY_VOID(see_it_hold(originals_[i], deadline));
        for (int look = 0; look < 2; ++look) {
            around_.sleep_for(look_interval);
            SLUICE_TRY_VOID(
                rename_.see_it_wait(*keeper_, originals_, members_.front().plan->lower_case_table_names, deadline));
        }
        SLUICE_TRY_VOID(guards_[i].session->run("UNLOCK TABLES"));
    }
    return {};
}

outcome<void> group_sentry_swap::nothing_came_between(steady_clock::time_point deadline) {
    const statement_runner run = [this](std::string_view sql) { return keeper_->run(sql); };
    SLUICE_TRY(const stream_position end, read_server_position(run, *members_.front().plan));
    for (const member& one : members_) {
        if (!around_.wait_read_through(*one.ledger, end, deadline)) {
            return give_up("the binary log was not read to its end in time");
        }
        if (one.ledger->count().backlog_keys != 0 || !one.ledger->prepared().empty()) {
            return give_up(quote_table(one.plan->original) + " was changed while its lock changed hands");
        }
    }
    return {};
}

outcome<void> group_sentry_swap::change_places(sql_session& holder, steady_clock::time_point deadline,
                                               const std::function<outcome<void>()>& announce) {
    SLUICE_TRY(const bool hidden, is_out_of_sight(last_ghost_));
    if (hidden) return give_up(quote_table(last_ghost_) + " is locked by somebody else");
    std::vector<table_swap> swaps;
    for (const member& one : members_) swaps.push_back({one.plan->original, one.plan->ghost, one.plan->old_table});
    rename_.start(swap_statement(swaps), deadline);
    SLUICE_TRY_VOID(rename_.see_it_wait(*keeper_, originals_, members_.front().plan->lower_case_table_names, deadline));
    SLUICE_TRY_VOID(place_guards(deadline));
    unlocking_ = true;
    SLUICE_TRY_VOID(holder.run("UNLOCK TABLES"));
    SLUICE_TRY_VOID(relieve_guards(deadline));
    SLUICE_TRY_VOID(see_it_hold(last_ghost_, deadline));
    SLUICE_TRY_VOID(nothing_came_between(deadline));
    SLUICE_TRY_VOID(announce());
    // The point of no return, as in sentry_swap.
    SLUICE_TRY_VOID(rename_.let_go(deadline));
    may_have_swapped_ = true;
    SLUICE_TRY_VOID(keeper_->run("DROP TABLE " + quote_table(sentry_)));
    return rename_.result();
}

void group_sentry_swap::end() {
    // What still waits gets its locks, or is killed; the rename fails on the sentry.
    for (guard& one : guards_) {
        while (one.locking && !one.locking->wait_ended(around_.now())) {
            // A lost killer leaves it to the session's own lock_wait_timeout.
            const auto killed = killer_->run("KILL QUERY " + std::to_string(one.session->connection_id()));
            if (!killed) break;
            (void)one.locking->wait_ended(around_.now() + kill_interval);
        }
        one.locking.reset();
        one.session.reset();
    }
    guards_.clear();
    keeper_.reset();
    rename_.end();
    killer_.reset();
}

}  // namespace sluice::migration

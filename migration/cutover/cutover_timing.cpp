#include "migration/cutover/cutover_timing.hpp"

#include "migration/cutover/blocker_killing.hpp"
#include "migration/family/lock_holders.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace sluice::migration {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using std::chrono::system_clock;

// A session with locks beyond its statement is told apart from the many that come and go by its age: this part of the
// hold budget. It is less than what a drain may take, so whoever made it fail is older.
constexpr int standing_part_of_budget = 2;

bool is_among(const gate_blocker& wanted, const std::vector<gate_blocker>& all) {
    return std::any_of(all.begin(), all.end(),
                       [&](const gate_blocker& b) { return b.connection_id == wanted.connection_id; });
}

// Of its own sessions the proxy knows more than the server does, but not what they did before the table was watched.
void add_user(gate_blocker user, std::vector<gate_blocker>& all) {
    const auto known = std::find_if(all.begin(), all.end(),
                                    [&](const gate_blocker& b) { return b.connection_id == user.connection_id; });
    if (known == all.end()) {
        all.push_back(std::move(user));
    } else if (known->statement.empty()) {
        known->statement = std::move(user.statement);
    }
}

void order_by_age(std::vector<gate_blocker>& blockers) {
    std::stable_sort(blockers.begin(), blockers.end(), [](const auto& a, const auto& b) { return a.age > b.age; });
}

std::string time_of_day(steady_clock::time_point when) {
    const auto at =
        system_clock::now() + std::chrono::duration_cast<system_clock::duration>(when - steady_clock::now());
    const std::time_t seconds = system_clock::to_time_t(at);
    std::tm wall{};
    gmtime_r(&seconds, &wall);
    char text[32];
    std::strftime(text, sizeof text, "%H:%M:%S UTC", &wall);
    return text;
}

}  // namespace

cutover_timing::cutover_timing(const migration_plan& plan, work_ledger& ledger, sql_session& session, table_gate& gate)
    : plan_(plan), ledger_(ledger), session_(session), gate_(gate), tables_{plan.original} {
    const auto& related = plan.relations.related_tables;
    tables_.insert(tables_.end(), related.begin(), related.end());
}

attempt_pace::limits cutover_timing::limits() const {
    return {.interval = plan_.options.hold_interval, .interval_max = plan_.options.hold_interval_max};
}

bool cutover_timing::within_interval(time_point now) const { return pace_.within_interval(now, limits()); }

operator_facts cutover_timing::operator_says(const operator_words& words) {
    // Whoever says "revert" wants it now: the rest was said for the way forth.
    if (!plan_.backwards) return operator_hold_.facts(plan_.options, words);
    operator_facts facts;
    facts.postponed = words.postponed;
    return facts;
}

traffic_facts cutover_timing::look_at_traffic(time_point now) {
    traffic_facts facts;
    facts.backlog_keys = ledger_.count().backlog_keys;
    facts.prepared_xids = ledger_.prepared();
    facts.blockers = gate_.blockers();
    server_tells_ = true;
    for (const table_name& table : tables_) {
        auto users = users_of(*plan_.family, table, session_);
        server_tells_ = server_tells_ && users.server_tells;
        for (gate_blocker& user : users.sessions) add_user(std::move(user), facts.blockers);
    }
    watch_.seen(facts.blockers, now);
    order_by_age(facts.blockers);
    return facts;
}

void cutover_timing::look_at_bystanders(traffic_facts& facts) {
    facts.bystanders = gate_.old_snapshots();
    auto open = open_transactions(*plan_.family, session_,
                                  server_tells_ ? open_transaction_kind::reads_old_view : open_transaction_kind::any);
    for (gate_blocker& one : open) {
        if (!is_among(one, facts.blockers) && !is_among(one, facts.bystanders))
            facts.bystanders.push_back(std::move(one));
    }
    order_by_age(facts.bystanders);
}

void cutover_timing::kill_standing(const std::vector<gate_blocker>& blockers, time_point now) {
    const milliseconds after = plan_.options.kill_blockers_after;
    if (after == milliseconds(0)) return;
    for (const gate_blocker& blocker : watch_.standing(blockers, plan_.options.max_blocker_age, after, now)) {
        watch_.tried(blocker.connection_id);
        const auto killed = kill_blocker(*plan_.family, blocker, session_);
        blocker_kill kill{.at = system_clock::now(),
                          .before_attempt = 0,
                          .blocker = blocker,
                          .error = killed ? std::string() : killed.error().message};
        kills_.push_back(std::move(kill));
    }
}

void cutover_timing::end_blockers(const operator_words& words) {
    if (plan_.options.kill_blockers_after == milliseconds(0) || operator_verdict(operator_says(words))) return;
    const auto now = steady_clock::now();
    kill_standing(look_at_traffic(now).blockers, now);
}

// Who was held up by others, or has passed over many moments, does not wait for this as well.
bool cutover_timing::pages_may_be_written_soon(milliseconds passed_over, time_point now) {
    if (!plan_.family->rename_sleeps_for_writes()) return false;
    if (held_up_ || passed_over >= better_moment_wait_max) return false;
    if (plan_.options.page_flush_wait == milliseconds(0)) return false;
    const auto answer = session_.run("SHOW GLOBAL STATUS LIKE 'Innodb_buffer_pool_pages_flushed'");
    if (!answer || answer->rows.size() != 1 || answer->rows[0].size() != 2) return false;
    const std::string text = answer->rows[0][1].value_or("");
    std::uint64_t pages = 0;
    std::from_chars(text.data(), text.data() + text.size(), pages);
    beat_.seen(pages, now);
    return !beat_.just_written(now) && beat_.watched(now) < plan_.options.page_flush_wait;
}

moment_verdict cutover_timing::wait_for_next_attempt() const {
    return {.when = moment::not_now,
            .waiting_for = "the next attempt, at " + time_of_day(pace_.due_at_last(limits())) +
                           " or when nobody stands in the way; the last one was given up: " + last_given_up_because_,
            .about = "next attempt"};
}

moment_verdict cutover_timing::look(const operator_words& words) {
    const auto now = steady_clock::now();
    if (auto verdict = operator_verdict(operator_says(words))) {
        passing_over_since_.reset();
        return *std::move(verdict);
    }
    traffic_facts facts = look_at_traffic(now);
    const moment_rules rules{.backlog_keys_max = plan_.options.apply_batch_keys,
                             .max_blocker_age = plan_.options.max_blocker_age,
                             .hold_budget = plan_.options.hold_budget};
    const auto passed_over =
        passing_over_since_ ? std::chrono::duration_cast<milliseconds>(now - *passing_over_since_) : milliseconds(0);
    kill_standing(facts.blockers, now);
    moment_verdict verdict = traffic_verdict(facts, rules, passed_over);
    // Who may yet stand in the way is asked for only when that makes a difference.
    if (verdict.when != moment::not_now && passed_over < better_moment_wait_max) {
        look_at_bystanders(facts);
        verdict = traffic_verdict(facts, rules, passed_over);
    }
    if (verdict.when == moment::not_now) {
        if (!verdict.by_others) passing_over_since_.reset();
        if (verdict.by_others && !passing_over_since_) passing_over_since_ = now;
        held_up_ = held_up_ || verdict.by_others;
        return verdict;
    }
    std::vector<gate_blocker> present = facts.blockers;
    present.insert(present.end(), facts.bystanders.begin(), facts.bystanders.end());
    if (!pace_.due(now, limits(), present)) return wait_for_next_attempt();
    if (!passing_over_since_) passing_over_since_ = now;
    // Watched from the first moment on that would do, so that the waits do not add up.
    if (pages_may_be_written_soon(passed_over, now) && verdict.when == moment::go) {
        return {.when = moment::better_later,
                .waiting_for = "a better moment: behind the server's next writing of changed pages",
                .about = "better moment"};
    }
    return verdict;
}

void cutover_timing::given_up(cutover_attempt& attempt) {
    if (attempt.blockers.empty()) {
        traffic_facts facts = look_at_traffic(steady_clock::now());
        attempt.blockers = std::move(facts.blockers);
    } else {
        watch_.seen(attempt.blockers, steady_clock::now());
    }
    order_by_age(attempt.blockers);
    last_given_up_because_ = attempt.given_up_because;
    passing_over_since_.reset();
    beat_.forget();
    const auto budget = plan_.options.hold_budget;
    pace_.given_up(steady_clock::now(), attempt.blockers, budget / standing_part_of_budget,
                   patience_of(attempt.number, budget) >= budget);
    held_up_ = pace_.somebody_stood_in_the_way();
}

}  // namespace sluice::migration

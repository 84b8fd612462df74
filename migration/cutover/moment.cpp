#include "migration/cutover/moment.hpp"

#include <algorithm>

namespace sluice::migration {
namespace {

using std::chrono::milliseconds;

// A transaction that is younger than this part of the hold budget is likely to end within the drain: most of what a
// busy table has open at any time is.
constexpr int young_part_of_budget = 5;

std::string age_text(milliseconds age) {
    if (age < milliseconds(10'000)) return std::to_string(age.count()) + " ms";
    return std::to_string(age.count() / 1000) + " s";
}

std::string also(std::size_t others) {
    if (others == 0) return {};
    return others == 1 ? " (and another one)" : " (and " + std::to_string(others) + " others)";
}

moment_verdict told_to_wait(std::string about, std::string waiting_for) {
    return {
        .when = moment::not_now, .waiting_for = std::move(waiting_for), .about = std::move(about), .by_operator = true};
}

moment_verdict not_now(std::string about, std::string waiting_for) {
    return {.when = moment::not_now, .waiting_for = std::move(waiting_for), .about = std::move(about)};
}

moment_verdict held_up(std::string about, std::string waiting_for) {
    auto verdict = not_now(std::move(about), std::move(waiting_for));
    verdict.by_others = true;
    return verdict;
}

std::size_t count_older(const std::vector<gate_blocker>& blockers, milliseconds age) {
    return static_cast<std::size_t>(
        std::count_if(blockers.begin(), blockers.end(), [age](const gate_blocker& b) { return b.age > age; }));
}

const gate_blocker& oldest(const std::vector<gate_blocker>& blockers) {
    return *std::max_element(blockers.begin(), blockers.end(),
                             [](const auto& a, const auto& b) { return a.age < b.age; });
}

}  // namespace

std::string describe(const gate_blocker& blocker) {
    std::string text = "connection " + std::to_string(blocker.connection_id) + " of " + blocker.client;
    if (blocker.direct) text += " (directly, not through the proxy)";
    if (!blocker.age_is_known) {
        text += " holds a lock on the table, for at least ";
    } else if (blocker.in_transaction) {
        text += " has had a transaction open for ";
    } else {
        text += " has been running a statement for ";
    }
    text += age_text(blocker.age);
    if (!blocker.statement.empty()) text += "; last statement: " + blocker.statement;
    return text;
}

std::optional<moment_verdict> operator_verdict(const operator_facts& facts) {
    if (facts.postponed) {
        return told_to_wait("postponed", "the operator's cut-over command (the cut-over is postponed)");
    }
    if (facts.flag_file == flag_file_state::exists) {
        return told_to_wait("flag file", "the operator's cut-over command, or the removal of " + facts.flag_file_path);
    }
    if (facts.flag_file == flag_file_state::unreadable) {
        return told_to_wait("flag file unreadable", "the operator's cut-over command: whether " + facts.flag_file_path +
                                                        " exists cannot be found out");
    }
    if (facts.window_opens_again) {
        return told_to_wait("window",
                            "the cut-over window (" + facts.window + "), which opens on " + *facts.window_opens_again);
    }
    return std::nullopt;
}

moment_verdict traffic_verdict(const traffic_facts& facts, const moment_rules& rules, milliseconds passed_over) {
    const std::string behind =
        "the applier: " + std::to_string(facts.backlog_keys) + " changed keys are still to be applied";
    if (facts.backlog_keys > std::max(rules.backlog_keys_max, last_backlog_keys_max)) return not_now("backlog", behind);
    if (const auto old = count_older(facts.blockers, rules.max_blocker_age); old != 0) {
        const gate_blocker& first = oldest(facts.blockers);
        return held_up("blocker " + std::to_string(first.connection_id), describe(first) + also(old - 1));
    }
    if (!facts.prepared_xids.empty()) {
        return held_up("xa " + facts.prepared_xids.front(),
                       "prepared XA transactions that have changed the table (XA COMMIT or XA ROLLBACK them): " +
                           facts.prepared_xids.front());
    }
    if (passed_over >= better_moment_wait_max) return {};
    moment_verdict better{.when = moment::better_later, .waiting_for = "a better moment: ", .about = "better moment"};
    if (facts.backlog_keys > rules.backlog_keys_max) {
        better.waiting_for += behind;
        return better;
    }
    if (const auto old = count_older(facts.bystanders, rules.max_blocker_age); old != 0) {
        better.waiting_for += describe(oldest(facts.bystanders)) + also(old - 1);
        return better;
    }
    // Who has LOCK TABLES or a HANDLER has no transaction that tells its age, and seldom lets go within a drain.
    const milliseconds young = rules.hold_budget / young_part_of_budget;
    const auto not_young = static_cast<std::size_t>(
        std::count_if(facts.blockers.begin(), facts.blockers.end(),
                      [young](const gate_blocker& b) { return b.age > young || !b.age_is_known; }));
    if (not_young != 0) {
        better.waiting_for += describe(oldest(facts.blockers)) + also(not_young - 1);
        return better;
    }
    return {};
}

}  // namespace sluice::migration

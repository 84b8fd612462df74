#include "migration/engine/attempt_text.hpp"

#include "migration/cutover/moment.hpp"

#include <algorithm>
#include <cstdio>

namespace sluice::migration {
namespace {

constexpr std::size_t blockers_shown = 5;

std::string held_text(const hold_report& hold) {
    const auto ms = [](std::chrono::microseconds time) { return static_cast<double>(time.count()) / 1000.0; };
    char text[160];
    std::snprintf(text, sizeof text, "%llu statements held for %.1f / %.1f / %.1f ms (p50 / p99 / longest)",
                  static_cast<unsigned long long>(hold.statements_held), ms(hold.hold_p50), ms(hold.hold_p99),
                  ms(hold.hold_max));
    std::string all = text;
    if (hold.overflowed != 0) all += ", " + std::to_string(hold.overflowed) + " more passed the full gate";
    if (hold.expired) all += ", the gate's deadline opened it";
    return all;
}

}  // namespace

std::string attempt_line(const cutover_attempt& attempt) {
    std::string line = attempt.backwards ? "revert attempt " : "cut-over attempt ";
    line += std::to_string(attempt.number);
    if (!attempt.group.empty()) line += " of group " + attempt.group;
    line += attempt.succeeded ? " succeeded" : " given up: " + attempt.given_up_because;
    line += "; " + held_text(attempt.hold) + "; steps in us:";
    const char* separator = " ";
    for (const cutover_step& step : attempt.steps) {
        line += separator + step.name + " " + std::to_string(step.took.count());
        separator = ", ";
    }
    separator = "; in the way: ";
    for (std::size_t i = 0; i < std::min(blockers_shown, attempt.blockers.size()); ++i) {
        line += separator + describe(attempt.blockers[i]);
        separator = "; ";
    }
    if (attempt.blockers.size() > blockers_shown) {
        line += "; and " + std::to_string(attempt.blockers.size() - blockers_shown) + " others";
    }
    return line;
}

std::string kill_line(const blocker_kill& kill) {
    if (kill.error.empty()) return describe(kill.blocker) + ": killed, since it stood in the way of the cut-over";
    return describe(kill.blocker) + ": stands in the way of the cut-over and could not be killed: " + kill.error;
}

}  // namespace sluice::migration

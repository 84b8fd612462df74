#include "admin/cutover_view.hpp"

#include "admin/text_form.hpp"
#include "migration/cutover/moment.hpp"

#include <optional>
#include <vector>

namespace sluice::admin {
namespace {

using cell = std::optional<std::string>;

cell optional_text(std::string text) {
    if (text.empty()) return std::nullopt;
    return clean_utf8(text);
}

std::string count(std::chrono::microseconds time) { return std::to_string(time.count()); }

std::string blockers_text(const migration::cutover_attempt& attempt) {
    std::string text;
    for (const auto& blocker : attempt.blockers) text += (text.empty() ? "" : "; ") + migration::describe(blocker);
    return text;
}

std::string kills_text(const migration::migration_snapshot& snapshot, std::uint32_t attempt) {
    std::string text;
    for (const auto& kill : snapshot.blocker_kills) {
        if (kill.before_attempt == attempt) text += (text.empty() ? "" : "; ") + kill_text(kill);
    }
    return text;
}

}  // namespace

std::string steps_text(const migration::cutover_attempt& attempt) {
    std::string text;
    for (const auto& step : attempt.steps) {
        text += (text.empty() ? "" : ", ") + step.name + " " + std::to_string(step.took.count()) + " us";
    }
    return text;
}

std::string kill_text(const migration::blocker_kill& kill) {
    return (kill.error.empty() ? "killed at " : "not killed at ") + to_utc_text(kill.at) + ": " +
           migration::describe(kill.blocker) + (kill.error.empty() ? "" : " (" + kill.error + ")");
}

text_table cutovers_table(const migration::migration_snapshot& snapshot) {
    text_table table{.columns = {"attempt", "began", "direction", "succeeded", "given_up_because", "statements_held",
                                 "hold_p50_us", "hold_p99_us", "hold_max_us", "overflowed", "gate_expired",
                                 "old_snapshots", "steps", "blockers", "kills"},
                     .rows = {}};
    for (const auto& attempt : snapshot.cutover_attempts) {
        table.rows.push_back(
            {std::to_string(attempt.number), to_utc_text(attempt.began), attempt.backwards ? "back" : "forth",
             attempt.succeeded ? "yes" : "no", optional_text(attempt.given_up_because),
             std::to_string(attempt.hold.statements_held), count(attempt.hold.hold_p50), count(attempt.hold.hold_p99),
             count(attempt.hold.hold_max), std::to_string(attempt.hold.overflowed), attempt.hold.expired ? "yes" : "no",
             std::to_string(attempt.hold.old_snapshots), optional_text(steps_text(attempt)),
             optional_text(blockers_text(attempt)), optional_text(kills_text(snapshot, attempt.number))});
    }
    return table;
}

}  // namespace sluice::admin

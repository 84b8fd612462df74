#include "migration/checksum/table_verification.hpp"

#include "migration/sql/identifier.hpp"

#include <algorithm>
#include <utility>

namespace sluice::migration {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t suspects_max = 2'000;  // then they are judged before the next chunk
constexpr std::size_t described_max = 5;
constexpr unsigned attempts_max = 200;
constexpr unsigned unconvertible_max = 5;

std::vector<std::string> columns_not_compared(const migration_plan& plan, const comparison_columns& what) {
    std::vector<std::string> names;
    for (const auto& column : plan.ghost_description.columns) {
        const bool is_compared = std::any_of(what.compared.begin(), what.compared.end(),
                                             [&](const auto& one) { return one.column.ghost == column.name; });
        if (!is_compared) names.push_back(column.name);
    }
    return names;
}

}  // namespace

table_verification::table_verification(const migration_plan& plan, work_ledger& ledger, sql_session& session,
                                       marker_writer write_marker)
    : ledger_(ledger),
      what_(comparison_columns_of(plan.original_description, plan.ghost_description, plan.columns,
                                  plan.family && plan.family->has_json_sizes())),
      comparison_(what_, session, plan.key_form),
      write_marker_(std::move(write_marker)),
      // Steered by time even where the copy's chunks have a fixed size: ranges must be able to become smaller.
      sizer_(plan.options.chunk_rows_initial, 0, plan.options.chunk_time_target) {
    report_.columns_not_compared = columns_not_compared(plan, what_);
}

void table_verification::begin_pass() {
    SLUICE_ASSERT(!in_pass());
    report_.pass_in_hand = {};
    lower_.reset();
    repaired_in_pass_ = 0;
    unconvertible_ = 0;
    phase_ = phase::original;
}

bool table_verification::settling() const noexcept {
    return in_pass() && phase_ != phase::original && phase_ != phase::ghost;
}

outcome<bool> table_verification::step() {
    auto done = step_once();
    if (done) {
        attempts_ = 0;
    } else {
        SLUICE_TRY_VOID(recover_from(std::move(done).error()));
    }
    return in_pass();
}

outcome<void> table_verification::step_once() {
    const auto until = steady_clock::now() + step_wait_max;
    switch (phase_) {
        case phase::idle: return {};
        case phase::original: return compare_chunk();
        case phase::ghost: return compare_ghost_chunk();
        case phase::mark: return mark(phase::read);
        case phase::read:
            if (!ledger_.wait_marker(marker_, until)) return {};
            apply_through_ = ledger_.watch(suspects_.keys());
            phase_ = phase::apply;
            return {};
        case phase::apply:
            if (ledger_.wait_applied_through(apply_through_, until)) {
                phase_ = suspects_.empty() ? after_settling_ : phase::look;
            }
            return {};
        case phase::look: return look();
        case phase::mark_look: return mark(phase::read_look);
        case phase::read_look:
            if (!ledger_.wait_marker(marker_, until)) return {};
            return judge();
    }
    return {};
}

outcome<void> table_verification::compare_chunk() {
    const auto began = steady_clock::now();
    SLUICE_TRY(auto upper, comparison_.chunk_end(lower_, sizer_.rows(), false));
    SLUICE_TRY(auto found, comparison_.compare_range(range_bounds{lower_, false, upper}));
    for (std::string& key : found.differing) suspects_.add(std::move(key));
    if (found.more) {
        // More than can be kept at once: these are judged first, then the range is read again, in smaller pieces.
        sizer_.failed();
        settle(phase::original);
        return {};
    }
    sizer_.took(found.rows, std::chrono::duration_cast<microseconds>(steady_clock::now() - began));
    report_.pass_in_hand.rows_counted += found.rows;
    report_.pass_in_hand.rows_compared += found.rows;
    unconvertible_ = 0;
    const bool last = !upper;
    lower_ = std::move(upper);
    const auto after_last = what_.one_order ? phase::idle : phase::ghost;
    const auto next = last ? after_last : phase::original;
    if (suspects_.size() >= suspects_max || (next == phase::idle && !suspects_.empty())) {
        settle(next);
    } else if (next == phase::idle) {
        end_pass();
    } else {
        phase_ = next;
    }
    return {};
}

// Where the ghost orders its keys in another way, rows that only it has are looked for along its own key.
outcome<void> table_verification::compare_ghost_chunk() {
    SLUICE_TRY(auto upper, comparison_.chunk_end(lower_, sizer_.rows(), true));
    SLUICE_TRY(auto found, comparison_.surplus_of_ghost_range(range_bounds{lower_, false, upper}));
    for (std::string& key : found.differing) suspects_.add(std::move(key));
    if (found.more) {
        sizer_.failed();
        settle(phase::ghost);
        return {};
    }
    const bool last = !upper;
    lower_ = std::move(upper);
    if (suspects_.size() >= suspects_max || (last && !suspects_.empty())) {
        settle(last ? phase::idle : phase::ghost);
    } else if (last) {
        end_pass();
    }
    return {};
}

void table_verification::settle(phase next) {
    after_settling_ = next;
    phase_ = phase::mark;
}

outcome<void> table_verification::mark(phase next) {
    SLUICE_TRY(marker_, write_marker_());
    phase_ = next;
    return {};
}

outcome<void> table_verification::look() {
    SLUICE_TRY(auto keys, comparison_.compare_keys(suspects_.keys()));
    differing_ = std::set<std::string>(std::make_move_iterator(keys.begin()), std::make_move_iterator(keys.end()));
    phase_ = phase::mark_look;
    return {};
}

outcome<void> table_verification::judge() {
    const auto found = suspects_.judge(differing_, ledger_.changed_meanwhile());
    auto& counts = report_.pass_in_hand;
    counts.rows_repaired += found.repaired;
    report_.rows_repaired += found.repaired;
    counts.rows_in_motion += found.in_motion;
    counts.rows_compared -= std::min(counts.rows_compared, found.in_motion);
    if (!found.persisting.empty()) {
        // Nobody is accused of a row that is equal by now: it stays a suspect, and the next look says.
        SLUICE_TRY(auto still, comparison_.compare_keys(found.persisting));
        // A row that differs in converted columns and in others is found twice.
        std::sort(still.begin(), still.end());
        still.erase(std::unique(still.begin(), still.end()), still.end());
        if (!still.empty()) return fail_for(still);
    }
    repaired_in_pass_ += found.to_repair.size();
    if (repaired_in_pass_ > repairs_max) {
        return refuse("verification_failed",
                      "more than " + std::to_string(repairs_max) + " rows of " + quote_table(what_.columns.ghost) +
                          " differ from " + quote_table(what_.columns.original) +
                          " although no change of theirs is in flight: something else writes to the new table, or "
                          "changes do not reach it. The original is untouched");
    }
    if (!found.to_repair.empty()) {
        std::vector<row_key> keys;
        for (const std::string& key : found.to_repair) keys.push_back({key, {}});
        ledger_.repair(std::move(keys));
    }
    if (suspects_.empty()) {
        if (after_settling_ == phase::idle) {
            end_pass();
        } else {
            phase_ = after_settling_;
        }
        return {};
    }
    phase_ = phase::mark;
    // What changes all the time is looked at some more, at moments of some distance.
    if (found.to_repair.empty()) ledger_.idle(std::min(milliseconds(10) * suspects_.looks(), step_wait_max * 2));
    return {};
}

outcome<void> table_verification::fail_for(const std::vector<std::string>& persisting) {
    const std::vector<std::string> first(
        persisting.begin(),
        persisting.begin() + static_cast<std::ptrdiff_t>(std::min(persisting.size(), described_max)));
    SLUICE_TRY(const auto described, comparison_.describe(first));
    std::string list;
    for (const std::string& one : described) list += (list.empty() ? "" : "; ") + one;
    if (persisting.size() > described.size())
        list += "; and " + std::to_string(persisting.size() - described.size()) + " more";
    return refuse("verification_failed",
                  std::to_string(persisting.size()) + (persisting.size() == 1 ? " row of " : " rows of ") +
                      quote_table(what_.columns.ghost) + " differ from " + quote_table(what_.columns.original) +
                      " and stay so after they were copied again: " + list + ". The original is untouched; " +
                      std::to_string(report_.pass_in_hand.rows_counted) + " rows had been compared in this pass");
}

void table_verification::end_pass() {
    ++report_.passes;
    report_.last_pass = report_.pass_in_hand;
    report_.pass_in_hand = {};
    report_.last_pass_ended = std::chrono::system_clock::now();
    phase_ = phase::idle;
}

outcome<void> table_verification::recover_from(failure why) {
    // A value that the ALTER does not take: the row may be in flight, or about to be mended. If it stays, the migration
    // cannot go on, and the server's words say why.
    const bool is_of_data =
        why.then == disposition::abort && why.server_errno != 0 && why.attempted.starts_with("INSERT INTO");
    if (is_of_data && (phase_ == phase::original || phase_ == phase::look) && ++unconvertible_ < unconvertible_max) {
        settle(phase_ == phase::original ? phase::original : after_settling_);
        return {};
    }
    if (why.then != disposition::retry || ++attempts_ >= attempts_max) {
        why.then = disposition::abort;
        return why;
    }
    if (!settling()) sizer_.failed();
    ledger_.idle(milliseconds(std::min(20U * attempts_, 1000U)));
    return {};
}

}  // namespace sluice::migration

#pragma once

// Compares the whole of original and ghost, chunk by chunk, without locks, while both change; repairs what differs and
// is not in flight, and fails on what stays different. docs/architecture.md, "Verification", gives the reasons.
//
// A pass covers every key that either table may have: its first range is open below, its last one above. Keys found
// different are suspects. To judge them:
//   1. a marker is written and awaited in the stream: every change that was committed before has been read;
//   2. the suspects are watched, and the applier is awaited: those changes are in the ghost;
//   3. the suspects are compared again;
//   4. another marker is awaited: every change that the comparison may have seen has been read.
// A row that still differs and of which the stream shows no change since (2) differs for certain. It is handed to the
// applier as if it had changed, and judged again; see suspect_keys.

#include "migration/checksum/row_comparison.hpp"
#include "migration/checksum/suspect_keys.hpp"
#include "migration/checksum/verification_report.hpp"
#include "migration/copy/chunk_sizer.hpp"
#include "migration/ledger/work_ledger.hpp"
#include "migration/model/migration_plan.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace sluice::migration {

/// Used by the coordinator thread, step by step, so that it can look after everything else in between.
class table_verification {
public:
    /// write_marker: changelog::write_marker() on some session; returns the marker's number.
    using marker_writer = std::function<outcome<std::uint64_t>()>;

    /// Rows that may need a repair in one pass; more are a sign that something writes to the ghost or that changes get
    /// lost: "verification_failed".
    static constexpr std::uint64_t repairs_max = 10'000;

    /// All arguments must outlive it.
    table_verification(const migration_plan& plan, work_ledger& ledger, sql_session& session,
                       marker_writer write_marker);

    /// See row_comparison::prepare().
    outcome<void> prepare() { return comparison_.prepare(); }

    void begin_pass();
    [[nodiscard]] bool in_pass() const noexcept { return phase_ != phase::idle; }
    /// Rows were found different, and it is not yet known why. Before that is settled nothing should be swapped.
    [[nodiscard]] bool has_suspects() const noexcept { return !suspects_.empty(); }
    /// The next step waits or looks at a few rows, instead of reading a chunk.
    [[nodiscard]] bool settling() const noexcept;

    /// One chunk, or one wait of at most step_wait_max. False when the pass has ended with this step.
    /// "verification_failed" when rows stay different; the server's failure when the session is of no use any more, or
    /// when a row of the original cannot be converted and stays so.
    outcome<bool> step();

    [[nodiscard]] const verification_report& report() const noexcept { return report_; }

    static constexpr std::chrono::milliseconds step_wait_max{50};

private:
    enum class phase { idle, original, ghost, mark, read, apply, look, mark_look, read_look };

    outcome<void> step_once();
    outcome<void> compare_chunk();
    outcome<void> compare_ghost_chunk();
    void settle(phase next);
    outcome<void> mark(phase next);
    outcome<void> look();
    outcome<void> judge();
    outcome<void> fail_for(const std::vector<std::string>& persisting);
    void end_pass();
    outcome<void> recover_from(failure why);

    work_ledger& ledger_;
    comparison_columns what_;
    row_comparison comparison_;
    marker_writer write_marker_;
    chunk_sizer sizer_;
    verification_report report_;

    phase phase_ = phase::idle;
    phase after_settling_ = phase::idle;
    std::optional<key_literals> lower_;  ///< of the next chunk, exclusive; nullopt: from the beginning
    suspect_keys suspects_;
    std::uint64_t marker_ = 0;
    std::uint64_t apply_through_ = 0;
    std::set<std::string> differing_;  ///< at the last look
    std::uint64_t repaired_in_pass_ = 0;
    unsigned attempts_ = 0;       ///< failed in a row
    unsigned unconvertible_ = 0;  ///< attempts at a chunk with a row that cannot be converted
};

}  // namespace sluice::migration

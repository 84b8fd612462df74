#pragma once

// Looks, again and again, whether this is the moment to cut over: gathers the facts for moment.hpp, remembers what has
// to be remembered between two looks, and ends blockers where the operator wants that.

#include "migration/cutover/attempt_pace.hpp"
#include "migration/cutover/blocker_watch.hpp"
#include "migration/cutover/flush_beat.hpp"
#include "migration/cutover/moment.hpp"
#include "migration/cutover/operator_hold.hpp"
#include "migration/engine/migration_snapshot.hpp"
#include "migration/ledger/work_ledger.hpp"
#include "migration/model/migration_plan.hpp"
#include "migration/ports/sql_executor.hpp"
#include "migration/ports/traffic_gate.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace sluice::migration {

/// Used by the coordinator thread. What it is given must outlive it; options are read anew at each look.
class cutover_timing {
public:
    using time_point = std::chrono::steady_clock::time_point;

    cutover_timing(const migration_plan& plan, work_ledger& ledger, sql_session& session, table_gate& gate);

    /// No attempt can begin yet, whatever is seen: looking would be in vain.
    [[nodiscard]] bool within_interval(time_point now) const;

    /// What look() does besides: ends blockers that have stood in the way for as long as the operator lets them. For
    /// the time in which looking further would be in vain.
    void end_blockers(const operator_words& words);

    /// `go` leaves one thing to the caller: whether the stream is close behind the server.
    [[nodiscard]] moment_verdict look(const operator_words& words);

    /// attempt.blockers are completed with what is seen now, where the attempt itself saw nobody.
    void given_up(cutover_attempt& attempt);

    /// Sessions that were killed since this was asked last.
    [[nodiscard]] std::vector<blocker_kill> take_kills() { return std::exchange(kills_, {}); }

private:
    [[nodiscard]] operator_facts operator_says(const operator_words& words);
    [[nodiscard]] traffic_facts look_at_traffic(time_point now);
    void look_at_bystanders(traffic_facts& facts);
    [[nodiscard]] bool pages_may_be_written_soon(std::chrono::milliseconds passed_over, time_point now);
    void kill_standing(const std::vector<gate_blocker>& blockers, time_point now);
    [[nodiscard]] moment_verdict wait_for_next_attempt() const;
    [[nodiscard]] attempt_pace::limits limits() const;

    const migration_plan& plan_;
    work_ledger& ledger_;
    sql_session& session_;
    table_gate& gate_;
    std::vector<table_name> tables_;
    attempt_pace pace_;
    blocker_watch watch_;
    flush_beat beat_;
    bool held_up_ = false;  ///< by an old transaction, now or before: the beat is not waited for as well
    std::optional<time_point> passing_over_since_;
    bool server_tells_ = false;  ///< who uses the tables
    std::string last_given_up_because_;
    operator_hold operator_hold_;
    std::vector<blocker_kill> kills_;
};

}  // namespace sluice::migration

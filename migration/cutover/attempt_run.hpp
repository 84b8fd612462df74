#pragma once

// The state of one attempt, so that each of its steps is a short function. Private to cutover.cpp and
// attempt_steps.cpp.

#include "migration/apply/server_position.hpp"
#include "migration/cutover/cutover.hpp"
#include "migration/cutover/sentry_swap.hpp"
#include "migration/ports/reconnecting_session.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::migration {

class attempt_run {
public:
    struct member {
        const migration_plan& usual;  ///< as it is outside of the attempt
        const migration_plan& plan;   ///< with the names that the tables have during it
        work_ledger& ledger;
        const std::atomic<bool>* stop_requested;  ///< may be null
        std::function<bool()> told_otherwise;     ///< may be empty
        bool ghost_related = false;               ///< triggers or foreign keys may have been made on the ghost
    };

    attempt_run(std::vector<member> members, sql_executor& executor, table_gate& gate, attempt_surroundings& around);

    cutover_outcome make(std::uint32_t number);

private:
    outcome<void> connect();
    outcome<void> look_at_names();
    outcome<void> prepare_sentry();
    outcome<void> close_and_drain();
    outcome<void> lock();
    outcome<void> limit_next_statement(std::chrono::steady_clock::time_point until);
    outcome<void> lift_statement_limit();
    outcome<stream_position> end_of_log();
    outcome<void> read_to_the_end();
    outcome<void> apply_last();
    outcome<void> apply_last_of(member& one);
    outcome<void> carry_auto_increment(const migration_plan& plan);
    outcome<void> relate();
    outcome<void> relate(member& one);
    outcome<void> swap();
    outcome<void> announce_swap();
    outcome<void> release_old();
    void release_old_late();
    outcome<void> all_steps();
    outcome<void> park();
    [[nodiscard]] std::chrono::milliseconds patience() const;
    void release(sql_session& on, bool by_usual_names);
    void open(bool done);
    cutover_outcome conclude(const outcome<void>& done);
    cutover_end ask_the_server(std::optional<failure>& why);
    void find_culprit(cutover_outcome& result);
    [[nodiscard]] std::vector<table_name> tables_to_lock() const;
    [[nodiscard]] const migration_plan& first() const { return members_.front().plan; }

    // A step's error code "given_up" ends the attempt without blame; any other code is weighed by its disposition.
    static failure give_up(std::string why) { return refuse("given_up", std::move(why)); }

    template <class Step>
    outcome<void> timed(const char* name, Step step) {
        const auto began = around_.now();
        outcome<void> done = step();
        report_.steps.push_back({name, std::chrono::duration_cast<std::chrono::microseconds>(around_.now() - began)});
        return done;
    }
    /// Does the step for each member, and notes at whom it failed.
    template <class Step>
    outcome<void> for_each_member(Step step) {
        for (std::size_t i = 0; i < members_.size(); ++i) {
            outcome<void> done = step(members_[i]);
            if (done) continue;
            at_ = i;
            return done;
        }
        return {};
    }
    // Never reconnects by itself: a new connection would not have the lock.
    outcome<query_result> run(std::string_view sql) { return session_.raw().run(sql); }
    statement_runner runner() {
        return [this](std::string_view sql) { return run(sql); };
    }

    std::vector<member> members_;
    sql_executor& executor_;
    table_gate& gate_;
    attempt_surroundings& around_;
    std::chrono::milliseconds budget_;
    std::chrono::steady_clock::time_point deadline_{};
    cutover_attempt report_;
    reconnecting_session session_;
    std::unique_ptr<sql_session> marking_;  ///< where the end of the log is told by a marker
    std::unique_ptr<kill_timer> watch_;
    std::unique_ptr<swap_behind_sentry> sentry_;  ///< where the server refuses RENAME TABLE under LOCK TABLES
    bool may_have_swapped_ = false;
    bool gate_waits_ = false;  ///< to be told how the attempt has ended
    std::optional<std::size_t> at_;
};

}  // namespace sluice::migration

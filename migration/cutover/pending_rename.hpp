#pragma once

// The RENAME TABLE of a swap by several sessions: it waits for a lock that another session holds, and must be seen to.

#include "migration/cutover/attempt_surroundings.hpp"
#include "migration/model/migration_plan.hpp"
#include "migration/ports/sql_executor.hpp"

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace sluice::migration {

/// "write_lock_count_too_low" where the server lets writers pass pending exclusive locks.
outcome<void> check_lock_priority(sql_session& session);

/// Sessions that wait for a metadata lock at this moment.
struct lock_waits {
    std::vector<std::vector<cell>> rows;  ///< connection id, schema, statement

    [[nodiscard]] bool has(std::uint64_t connection) const;
};
outcome<lock_waits> read_lock_waits(sql_session& by);

/// Used by the coordinator. Destruction ends it.
class pending_rename {
public:
    pending_rename(sql_executor& executor, attempt_surroundings& around);
    ~pending_rename();
    pending_rename(const pending_rename&) = delete;
    pending_rename& operator=(const pending_rename&) = delete;

    /// budget, in whole seconds, is how long the server lets it wait at most: once it is let go, this alone bounds its
    /// wait for whoever came to read one of our tables at that moment.
    outcome<void> connect(std::chrono::milliseconds budget);
    /// It is killed at the deadline, unless it was let go before.
    void start(std::string statement, std::chrono::steady_clock::time_point deadline);
    /// Returns once it waits for a lock, as `by` sees it. "given_up" when the deadline comes first, when it ends, or
    /// when somebody else waits who may change the definition of one of these tables: an exclusive lock that was asked
    /// for before ours is granted before ours.
    outcome<void> see_it_wait(sql_session& by, std::span<const table_name> tables, int lower_case_table_names,
                              std::chrono::steady_clock::time_point deadline);
    [[nodiscard]] std::uint64_t connection_id() const { return session_->connection_id(); }
    [[nodiscard]] bool has_ended();
    /// From now on nothing is sent to end it. "given_up" when a kill was sent already, or the deadline is over.
    outcome<void> let_go(std::chrono::steady_clock::time_point deadline);
    /// Waits for its end.
    outcome<void> result();
    /// Ends it, unless it was let go, and waits for that.
    void end();

private:
    sql_executor& executor_;
    attempt_surroundings& around_;
    std::unique_ptr<sql_session> session_;
    std::unique_ptr<kill_timer> watch_;
    std::unique_ptr<running_statement> running_;  // last: it uses the session
    bool let_go_ = false;
};

}  // namespace sluice::migration

#pragma once

// What an attempt needs besides SQL and the gate: time, statements that run beside it, and the two waits for other
// threads of the migration. Behind one seam, so that tests/simulation can own them all and run an attempt in a single
// thread, by a seed.

#include "migration/ledger/work_ledger.hpp"
#include "migration/ports/clock.hpp"
#include "migration/ports/sql_executor.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace sluice::migration {

/// Ends another session's statement that runs too long. Used by the coordinator.
class kill_timer {
public:
    virtual ~kill_timer() = default;
    /// From now on the victim's statement is killed at `deadline`.
    virtual void arm(std::chrono::steady_clock::time_point deadline) = 0;
    /// Returns once no kill can come any more; true if one was sent since arm(). A kill that came late strikes the
    /// victim's next statement with error 1317.
    virtual bool disarm() = 0;
};

/// A statement on its way while whoever started it does something else. Its session belongs to it until it has ended;
/// destruction waits for that.
class running_statement {
public:
    virtual ~running_statement() = default;
    /// Whether it has ended, at the latest at `until`.
    virtual bool wait_ended(std::chrono::steady_clock::time_point until) = 0;
    /// Waits for its end.
    virtual outcome<query_result> result() = 0;
};

class attempt_surroundings : public clock {
public:
    /// killer: a session of its own. victim: connection id of the session to watch.
    virtual std::unique_ptr<kill_timer> watch(std::unique_ptr<sql_session> killer, std::uint64_t victim) = 0;
    /// session must outlive what is given.
    virtual std::unique_ptr<running_statement> start(sql_session& session, std::string sql) = 0;
    virtual bool park_batches(work_ledger& ledger, std::chrono::steady_clock::time_point until) = 0;
    virtual bool wait_read_through(work_ledger& ledger, const stream_position& position,
                                   std::chrono::steady_clock::time_point until) = 0;
};

/// The machine's clock, and a thread for each statement and each watch. Thread-safe.
[[nodiscard]] attempt_surroundings& threaded_surroundings() noexcept;

}  // namespace sluice::migration

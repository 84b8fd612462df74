#pragma once

// Ends a statement that runs too long, from a second connection. Lock wait timeouts of the server count in seconds; a
// cut-over counts in milliseconds.

#include "migration/cutover/attempt_surroundings.hpp"
#include "migration/ports/sql_executor.hpp"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

namespace sluice::migration {

/// Owned and used by the coordinator; its thread does nothing but wait and send KILL QUERY.
class statement_watch final : public kill_timer {
public:
    /// killer: a session of its own. victim: connection id of the session to watch.
    statement_watch(std::unique_ptr<sql_session> killer, std::uint64_t victim);
    ~statement_watch() override;
    statement_watch(const statement_watch&) = delete;
    statement_watch& operator=(const statement_watch&) = delete;

    void arm(std::chrono::steady_clock::time_point deadline) override;
    bool disarm() override;

private:
    void watch();

    std::unique_ptr<sql_session> killer_;
    std::uint64_t victim_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::optional<std::chrono::steady_clock::time_point> deadline_;
    bool killing_ = false;
    bool killed_ = false;
    bool ending_ = false;
    std::thread thread_;
};

}  // namespace sluice::migration

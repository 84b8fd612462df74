#pragma once

// Sees that the stream is still one of the server's binary log as it was: after a RESET the log begins anew, and a
// stream of the old one can stay silent for ever. A plain value of the coordinator.

#include "migration/ledger/work_ledger.hpp"
#include "migration/model/failure.hpp"

#include <chrono>
#include <optional>

namespace sluice::migration {

class stream_guard {
public:
    static constexpr std::chrono::seconds interval{5};  ///< between two questions
    static constexpr std::chrono::seconds silence_max{60};

    /// Whether it is time to ask the server for its position, for told().
    [[nodiscard]] bool due(steady_time now) const { return now - asked_ >= interval; }

    /// server: its position, read just now. "binlog_reset" if it lies before one that the server told earlier.
    outcome<void> told(const stream_position& server, steady_time now);

    /// A marker has not come back in time, or has. "stream_silent" if none has for silence_max, and the stream has not
    /// moved meanwhile either; read: how far it was read.
    outcome<void> marker(bool came_back, const stream_position& read, steady_time now);

private:
    steady_time asked_{};
    std::optional<stream_position> last_told_;
    std::optional<steady_time> silent_since_;
    stream_position silent_at_;
};

}  // namespace sluice::migration

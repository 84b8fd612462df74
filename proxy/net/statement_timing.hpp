#pragma once

// How long the server makes clients wait: from a statement's being sent on to the first byte of its reply, so that
// neither a gate nor a slow reader counts. Of statements that a client sends before it has the reply to an earlier one
// only the first is timed. Costs nothing while nobody wants to know.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "proxy/net/io_thread.hpp"

namespace sluice::proxy {

struct statement_times {
    std::vector<std::uint64_t> answered;               ///< by the buckets of session::latency_meter; only grow
    std::vector<std::chrono::microseconds> under_way;  ///< ages of statements that have no reply yet, unsorted
};

/// Thread-safe; not for I/O threads.
class statement_timing {
public:
    explicit statement_timing(std::vector<std::shared_ptr<io_thread>> threads) : threads_(std::move(threads)) {}

    /// Times statements until as many ends have been told.
    void begin();
    void end();
    /// Of all threads; nothing when one does not answer within a second.
    [[nodiscard]] std::optional<statement_times> read() const;

private:
    void switch_on(bool on);

    const std::vector<std::shared_ptr<io_thread>> threads_;
    std::mutex mutex_;
    std::size_t wanted_by_ = 0;
};

}  // namespace sluice::proxy

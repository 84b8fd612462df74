#pragma once

// What throttles need from outside besides the primary. Each may be missing (nullptr): then what asks for it throttles.

#include "migration/ports/sql_executor.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace sluice::migration {

/// Opens sessions on replicas. Thread-safe.
class replica_directory {
public:
    virtual ~replica_directory() = default;
    virtual outcome<std::unique_ptr<sql_session>> connect(const std::string& host, std::uint16_t port) = 0;
};

/// Thread-safe.
class http_probe {
public:
    virtual ~http_probe() = default;
    /// The status of the answer to HEAD. "http_failed" when there is none within `timeout`.
    virtual outcome<unsigned> head(const std::string& url, std::chrono::milliseconds timeout) = 0;
};

/// So many statements whose latency lay above the previous count's bound, and not above this one.
struct latency_count {
    std::chrono::microseconds up_to{0};
    std::uint64_t statements = 0;
};

/// What clients have waited for their statements, up to now. Both lists are sorted by their bounds.
struct latency_report {
    std::vector<latency_count> answered;   ///< since the watch began; the same bounds each time
    std::vector<latency_count> under_way;  ///< not answered yet: for how long by now
};

/// Clients' statements are timed for as long as this lives. For one thread.
class latency_watch {
public:
    virtual ~latency_watch() = default;
    /// Takes milliseconds. An error when the proxy does not answer.
    virtual outcome<latency_report> read() = 0;
};

/// Thread-safe.
class client_latencies {
public:
    virtual ~client_latencies() = default;
    virtual std::unique_ptr<latency_watch> watch() = 0;
};

struct throttle_ports {
    std::shared_ptr<replica_directory> replicas;
    std::shared_ptr<http_probe> http;
    std::shared_ptr<client_latencies> clients;  ///< of the proxy; there is none in a run without one
};

}  // namespace sluice::migration

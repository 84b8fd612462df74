#pragma once

// What throttles need from outside besides the primary. Each may be missing (nullptr): then what asks for it throttles.

#include "migration/ports/sql_executor.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

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

struct throttle_ports {
    std::shared_ptr<replica_directory> replicas;
    std::shared_ptr<http_probe> http;
};

}  // namespace sluice::migration

#pragma once

// The engine's port for clients' latencies, on the proxy.

#include "migration/ports/throttle_ports.hpp"
#include "proxy/net/statement_timing.hpp"

#include <memory>

namespace sluice {

/// timing must outlive it and what it gives.
[[nodiscard]] std::shared_ptr<migration::client_latencies> client_latencies_of(proxy::statement_timing& timing);

/// Statements under way are those of the proxy, one count each.
[[nodiscard]] migration::latency_report to_report(const proxy::statement_times& times);

}  // namespace sluice

#pragma once

// The gate in front of a table: what the cut-over asks of the proxy. The adapter lives in proxy/main; without a proxy
// open_traffic_gate() holds nothing.

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace sluice::migration {

struct gated_table {
    std::string schema;
    std::string table;
};

/// A client session that stands in the way of a cut-over.
struct gate_blocker {
    std::uint64_t connection_id = 0;   ///< the server's connection id
    std::string client;                ///< user@address:port
    std::string statement;             ///< its current or last statement, shortened; may be empty
    std::chrono::milliseconds age{0};  ///< since its transaction (or statement) began
    bool in_transaction = false;
};

/// What a closed gate did, told when it opens again.
struct hold_report {
    std::uint64_t statements_held = 0;
    std::chrono::microseconds hold_p50{0};
    std::chrono::microseconds hold_p99{0};
    std::chrono::microseconds hold_max{0};
    bool expired = false;  ///< the deadline opened the gate in some shard before open() was called
};

/// One table's gate. All calls block briefly and come from the migration's coordinator thread.
/// From construction on, sessions track whether their transactions touched the table; destruction opens and forgets.
class table_gate {
public:
    virtual ~table_gate() = default;

    /// Sessions of the proxy whose open transaction or running statement may have touched the table, oldest first.
    virtual std::vector<gate_blocker> blockers() = 0;

    /// Begins to hold new statements that may touch the table. Every shard opens by itself at `deadline`.
    virtual void close(std::chrono::steady_clock::time_point deadline) = 0;

    /// Waits until no session has such a statement or transaction in flight; false when `until` came first.
    virtual bool wait_drained(std::chrono::steady_clock::time_point until) = 0;

    /// Releases what is held, first come first served, and reports. Harmless when open.
    virtual hold_report open() = 0;
};

/// Thread-safe.
class traffic_gate {
public:
    virtual ~traffic_gate() = default;
    virtual std::unique_ptr<table_gate> watch(const gated_table& table) = 0;
};

/// For use without a proxy: nothing is held, nothing is in flight.
std::unique_ptr<traffic_gate> open_traffic_gate();

}  // namespace sluice::migration

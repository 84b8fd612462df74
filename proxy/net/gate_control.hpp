#pragma once

// What a migration's coordinator asks of the proxy: watch a table, hold its statements for a moment, know what is still
// in flight. The gates themselves live in the I/O threads, one shard each (proxy/session/gate_shard.hpp); this facade
// posts commands to them and waits for the answers.
//
// Gates are about grace only: what is correct rests on the server's own table lock.

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace sluice::proxy {

class gate_hub;  // net/gate_hub.hpp: the shards' common ground

struct gated_table {
    std::string schema;
    std::string table;
};

/// A client session that stands in the way of a cut-over.
struct gate_blocker {
    std::uint64_t connection_id = 0;   ///< the server's connection id
    std::string client;                ///< user@address:port
    std::string statement;             ///< its current or last statement, shortened; empty if it began before the watch
    std::chrono::milliseconds age{0};  ///< since its transaction (or statement) began
    bool in_transaction = false;
};

/// What a gate did from close() to open().
struct hold_report {
    std::uint64_t statements_held = 0;
    std::chrono::microseconds hold_p50{0};
    std::chrono::microseconds hold_p99{0};
    std::chrono::microseconds hold_max{0};
    bool expired = false;  ///< the deadline opened the gate in some shard before open() was called
};

/// One table's gate. Belongs to one thread at a time, never to an I/O thread of the proxy: the calls wait for those.
/// They wait briefly (an I/O thread's turn), at most one second where no limit is given; a proxy that has been stopped
/// answers as if nothing were held or in flight. May outlive the proxy_server.
class table_gate {
public:
    explicit table_gate(std::shared_ptr<gate_hub> hub, unsigned slot);
    table_gate(const table_gate&) = delete;
    table_gate& operator=(const table_gate&) = delete;
    ~table_gate();  ///< opens, and sessions forget the table

    /// Sessions whose open transaction or running statement may have touched the table, oldest first; at most 1000.
    [[nodiscard]] std::vector<gate_blocker> blockers();

    /// Begins to hold new statements that may touch the table. When it returns every shard holds.
    /// Every shard opens by itself at `deadline`, whatever becomes of the caller.
    void close(std::chrono::steady_clock::time_point deadline);

    /// Waits until no session has such a statement or transaction in flight; false when `until` came first.
    [[nodiscard]] bool wait_drained(std::chrono::steady_clock::time_point until);

    /// Releases what is held, first come first served, waits until it has gone, and reports on the time since close().
    /// Harmless when open.
    hold_report open();

private:
    std::shared_ptr<gate_hub> hub_;
    unsigned slot_;
};

/// Thread-safe (but not for I/O threads of the proxy, as above).
class gate_control {
public:
    explicit gate_control(std::shared_ptr<gate_hub> hub);

    /// From now on sessions track whether they touched the table. Transactions and statements that began earlier count
    /// as having touched it. nullptr when 64 tables are watched already, or when the proxy has been stopped.
    [[nodiscard]] std::unique_ptr<table_gate> watch(const gated_table& table);

private:
    std::shared_ptr<gate_hub> hub_;
};

}  // namespace sluice::proxy

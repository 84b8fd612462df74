#pragma once

// What a migration's coordinator asks of the proxy: watch a table, hold its statements for a moment, know what is still
// in flight. The gates themselves live in the I/O threads, one shard each (proxy/session/gate_shard.hpp); this facade
// posts commands to them and waits for the answers.
//
// Gates are about grace only: what is correct rests on the server's own table lock.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "proxy/session/gate_shard.hpp"

namespace sluice::proxy {

class gate_hub;  // net/gate_hub.hpp: the shards' common ground

struct gated_table {
    std::string schema;
    std::string table;
};

using session::gate_end;

/// A transaction that the server has open.
struct open_transaction {
    std::uint64_t connection_id = 0;
    bool reads_anew = false;  ///< not REPEATABLE READ
};

struct watch_rules {
    bool holds_all = false;      ///< every statement that may be held, whatever it touches
    bool changes_places = true;  ///< another table will bear the name: old snapshots matter
    /// Asked on the caller's thread about sessions of which the proxy does not know how their transactions read. May be
    /// empty.
    std::function<std::vector<open_transaction>()> ask_transactions;
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
    bool expired = false;          ///< the deadline opened the gate in some shard before open() was called
    std::uint64_t overflowed = 0;  ///< let through the closed gate, which held as many as it may
    std::uint64_t old_snapshots =
        0;  ///< transactions that must not read the table any more, by a snapshot older than it
};

/// One table's gate. Belongs to one thread at a time, never to an I/O thread of the proxy: the calls wait for those.
/// They wait briefly (an I/O thread's turn), at most one second where no limit is given; a proxy that has been stopped
/// answers as if nothing were held or in flight. May outlive the proxy_server.
class table_gate {
public:
    table_gate(std::shared_ptr<gate_hub> hub, unsigned slot, watch_rules rules);
    table_gate(const table_gate&) = delete;
    table_gate& operator=(const table_gate&) = delete;
    ~table_gate();  ///< opens, and sessions forget the table

    /// Sessions whose open transaction or running statement may have touched the table, oldest first; at most 1000.
    [[nodiscard]] std::vector<gate_blocker> blockers();

    /// Sessions whose open transaction has not touched the table, but may have a snapshot by which it would read it;
    /// oldest first, at most 1000.
    [[nodiscard]] std::vector<gate_blocker> old_snapshots();

    /// Begins to hold new statements that may touch the table. When it returns every shard holds.
    /// Every shard opens by itself at `deadline`, whatever becomes of the caller.
    void close(std::chrono::steady_clock::time_point deadline);

    /// Waits until no session has such a statement or transaction in flight; false when `until` came first. Undoes
    /// seal().
    [[nodiscard]] bool wait_drained(std::chrono::steady_clock::time_point until);

    /// Behind wait_drained(): from now on until open(), no transaction takes a snapshot, and none reads the table by an
    /// older one; see gate_shard. Young ones that have a snapshot are waited for, a tenth of the time between close()
    /// and its deadline. False, and nothing is sealed, when some shard is open again or the table is in use again.
    [[nodiscard]] bool seal(std::chrono::steady_clock::time_point until);

    /// Behind seal(): the statement by which the tables may change places is about to be sent. Without it a gate that
    /// opens by itself presumes that they have not. False, and it must not be sent, when some shard is open again.
    [[nodiscard]] bool announce_swap(std::chrono::steady_clock::time_point until);

    /// Releases what is held, first come first served, waits until it has gone, and reports on the time since close().
    /// Harmless when open. After `swapped` transactions with a snapshot from before are answered with error 1412 when
    /// they read the table by it, until they end; also when this object is no more.
    hold_report open(gate_end end = gate_end::given_up);

private:
    using time_point = std::chrono::steady_clock::time_point;

    void unseal();
    void wait_for_young(time_point until);
    void ask_who_reads_anew(const std::vector<session::seat_view>& seats);
    [[nodiscard]] std::vector<session::seat_view> snapshot_seats();

    std::shared_ptr<gate_hub> hub_;
    unsigned slot_;
    watch_rules rules_;
    bool sealed_ = false;
    std::chrono::milliseconds patience_{0};  // with young transactions
    time_point asked_at_{};
};

/// Thread-safe (but not for I/O threads of the proxy, as above).
class gate_control {
public:
    explicit gate_control(std::shared_ptr<gate_hub> hub);

    /// From now on sessions track whether they touched the table. Transactions and statements that began earlier count
    /// as having touched it. nullptr when 64 tables are watched already, or when the proxy has been stopped.
    [[nodiscard]] std::unique_ptr<table_gate> watch(const gated_table& table, watch_rules rules = {});

private:
    std::shared_ptr<gate_hub> hub_;
};

}  // namespace sluice::proxy

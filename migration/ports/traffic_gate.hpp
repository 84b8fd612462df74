#pragma once

// The gate in front of a table: what the cut-over asks of the proxy. The adapter lives in proxy/main; without a proxy
// open_traffic_gate() holds nothing.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::migration {

struct gated_table {
    std::string schema;
    std::string table;
    /// Another table will bear this name when the gate opens. False for those that are only locked beside it.
    bool changes_places = true;
};

/// What a closed gate holds.
enum class hold_scope : std::uint8_t {
    table,  ///< statements that may touch the table
    all,    ///< every statement that may be held
    none,   ///< nothing: there is no gate, and clients queue up in the server. For comparison
};

/// "table", "all" or "none"; an empty text means `table`.
[[nodiscard]] std::optional<hold_scope> parse_hold_scope(std::string_view text) noexcept;

/// A transaction that the server has open.
struct open_transaction {
    std::uint64_t connection_id = 0;
    /// Each of its statements reads by a snapshot of its own, or by locks: anything but REPEATABLE READ.
    bool reads_anew = false;
};

struct watch_rules {
    hold_scope scope = hold_scope::table;
    /// Asked, on the thread of the call and at most once per attempt, when it matters and the proxy does not know it:
    /// the open transactions of the server. Empty: nothing can be said, which counts as REPEATABLE READ. A transaction
    /// that is not among the answers counts so too.
    std::function<std::vector<open_transaction>()> ask_transactions;
};

/// A client session that stands in the way of a cut-over.
struct gate_blocker {
    std::uint64_t connection_id = 0;   ///< the server's connection id
    std::string client;                ///< user@address:port
    std::string statement;             ///< its current or last statement, shortened; may be empty
    std::chrono::milliseconds age{0};  ///< since its transaction (or statement) began
    bool in_transaction = false;
    bool direct = false;       ///< connected to the server itself, past the proxy
    bool age_is_known = true;  ///< false: locks that no transaction explains, such as LOCK TABLES and HANDLER; `age` is
                               ///< then the time since the engine first saw them
};

/// What a closed gate did, told when it opens again.
struct hold_report {
    std::uint64_t statements_held = 0;
    std::chrono::microseconds hold_p50{0};
    std::chrono::microseconds hold_p99{0};
    std::chrono::microseconds hold_max{0};
    bool expired = false;          ///< the deadline opened the gate in some shard before open() was called
    std::uint64_t overflowed = 0;  ///< statements that went through the closed gate, since it held as many as it may
    /// Transactions that were open at the swap, with a snapshot from before it, and had not used the table: should they
    /// read it by that snapshot, they are answered with error 1412.
    std::uint64_t old_snapshots = 0;
};

/// Why a gate opens.
enum class gate_opening : std::uint8_t {
    given_up,  ///< for certain, the name stands for the same table as before
    swapped,   ///< the tables have changed places
};

/// One table's gate. All calls block briefly and come from the migration's coordinator thread.
/// From construction on, sessions track whether their transactions touched the table; destruction opens and forgets.
class table_gate {
public:
    virtual ~table_gate() = default;

    /// Sessions of the proxy whose open transaction or running statement may have touched the table, oldest first.
    virtual std::vector<gate_blocker> blockers() = 0;

    /// Sessions of the proxy whose open transaction has not touched the table, and has or may have a snapshot by which
    /// it would read it: REPEATABLE READ, or nothing is known. Oldest first. They hold no lock on the table, but behind
    /// the swap such a snapshot shows only a part of the new table's rows, so that reading it is answered with error
    /// 1412. Waiting until there are none spares them that.
    virtual std::vector<gate_blocker> old_snapshots() = 0;

    /// Begins to hold new statements that may touch the table. Every shard opens by itself at `deadline`.
    virtual void close(std::chrono::steady_clock::time_point deadline) = 0;

    /// Waits until no session has such a statement or transaction in flight; false when `until` came first. Undoes
    /// seal().
    virtual bool wait_drained(std::chrono::steady_clock::time_point until) = 0;

    /// Behind wait_drained(), before the lock: from now on until the gate opens, no transaction with a snapshot begins,
    /// and none reads the table by an older one, since it would do so behind the swap. Young transactions that have a
    /// snapshot are waited for a little. False when somebody has used the table again, or the gate has opened by
    /// itself. watch_tables() calls it at the end of its gate's wait_drained().
    virtual bool seal(std::chrono::steady_clock::time_point until) = 0;

    /// Just before the statement is sent by which the tables may change places. A gate that opens by itself, since
    /// nobody told it how the attempt has ended, presumes that they have if this was said, and that they have not if it
    /// was not. So: false, and that statement must not be sent, if the gate, or a part of it, has opened by itself.
    virtual bool announce_swap(std::chrono::steady_clock::time_point until) = 0;

    /// Releases what is held, first come first served, and reports. Harmless when open. After `swapped`, transactions
    /// with a snapshot from before cannot read the table by it any more.
    virtual hold_report open(gate_opening why) = 0;
};

/// Thread-safe.
class traffic_gate {
public:
    virtual ~traffic_gate() = default;
    /// rules.scope is not `none`: that is open_traffic_gate()'s part.
    virtual std::unique_ptr<table_gate> watch(const gated_table& table, const watch_rules& rules) = 0;
};

/// For use without a proxy: nothing is held, nothing is in flight.
std::unique_ptr<traffic_gate> open_traffic_gate();

}  // namespace sluice::migration

#pragma once

// When to cut over: from what is known now, to "go" or to what is waited for. Pure: the facts are gathered elsewhere
// (cutover_timing.hpp).
//
// What the operator said comes first: postponed, a flag file, a window. Then what an attempt could not overcome within
// its hold: changes still to be applied, old transactions on the table, prepared XA transactions. Then grace: when the
// table is in use by transactions that are not quite young, or when somebody keeps an old read view, a better moment is
// waited for, but not for longer than better_moment_wait_max.

#include "migration/ports/traffic_gate.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sluice::migration {

enum class moment {
    go,
    better_later,  ///< it could be tried, and a better moment may come soon
    not_now,
};

struct moment_verdict {
    moment when = moment::go;
    std::string waiting_for;  ///< for people; empty when `go`
    /// Stays the same while the same thing is waited for, though waiting_for tells ages and counts: log it once.
    std::string about;
    bool by_operator = false;  ///< the operator holds it up: it may take long
    bool by_others = false;    ///< old transactions do: once they have gone, no better moment is waited for
};

enum class flag_file_state { none, exists, unreadable };

struct operator_facts {
    bool postponed = false;  ///< by option or command
    /// Of postpone_flag_file. `none` too when the operator's command has overruled it.
    flag_file_state flag_file = flag_file_state::none;
    std::string flag_file_path;
    std::string window;                             ///< the option; empty: always open
    std::optional<std::string> window_opens_again;  ///< set outside of the window: "Mon 02:00"
};

struct traffic_facts {
    std::uint64_t backlog_keys = 0;
    std::vector<gate_blocker> blockers;  ///< transactions and statements on the table, oldest first
    /// Transactions that may or may not come to stand in the way: REPEATABLE READ ones with an old view of everything,
    /// and where the server does not tell who uses a table, all that do not come through the proxy. Oldest first.
    std::vector<gate_blocker> bystanders;
    std::vector<std::string> prepared_xids;  ///< of XA transactions that have changed the table
};

struct moment_rules {
    std::size_t backlog_keys_max = 500;  ///< with no more it is cut over at once
    std::chrono::milliseconds max_blocker_age{1'000};
    std::chrono::milliseconds hold_budget{500};
};

/// What the lock session applies in a few milliseconds. A table all of whose rows change without a pause may never have
/// less waiting: so much makes a moment worse, and more than this forbids it.
inline constexpr std::size_t last_backlog_keys_max = 1'000;

/// Longest wait for a better moment than one that is good enough.
inline constexpr std::chrono::milliseconds better_moment_wait_max{3'000};

/// What the operator holds it up with; nothing when that is nothing.
[[nodiscard]] std::optional<moment_verdict> operator_verdict(const operator_facts& facts);

/// passed_over: for how long moments that were good enough have been passed over for a better one, or others have held
/// the cut-over up.
[[nodiscard]] moment_verdict traffic_verdict(const traffic_facts& facts, const moment_rules& rules,
                                             std::chrono::milliseconds passed_over);

/// "connection 12 of app@10.0.0.7 (directly, not through the proxy) has had a transaction open on the table for 31 s;
/// last statement: UPDATE …".
[[nodiscard]] std::string describe(const gate_blocker& blocker);

}  // namespace sluice::migration

#pragma once

// Programs of the operator that are run when something happens: every file of the hooks' folder whose name begins with
// the hook's. They learn what about by environment variables, GH_OST_…

#include "protocol/result.hpp"
#include "proxy/main/ghost/ghost_settings.hpp"
#include "proxy/main/ghost/run_view.hpp"

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace sluice::ghost {

inline constexpr const char* on_startup = "gh-ost-on-startup";
inline constexpr const char* on_validated = "gh-ost-on-validated";
inline constexpr const char* on_rowcount_complete = "gh-ost-on-rowcount-complete";
inline constexpr const char* on_before_row_copy = "gh-ost-on-before-row-copy";
inline constexpr const char* on_batch_copy_retry = "gh-ost-on-batch-copy-retry";
inline constexpr const char* on_row_copy_complete = "gh-ost-on-row-copy-complete";
inline constexpr const char* on_begin_postponed = "gh-ost-on-begin-postponed";
inline constexpr const char* on_before_cut_over = "gh-ost-on-before-cut-over";
inline constexpr const char* on_interactive_command = "gh-ost-on-interactive-command";
inline constexpr const char* on_success = "gh-ost-on-success";
inline constexpr const char* on_failure = "gh-ost-on-failure";
inline constexpr const char* on_stop_replication = "gh-ost-on-stop-replication";
inline constexpr const char* on_start_replication = "gh-ost-on-start-replication";
inline constexpr const char* on_status = "gh-ost-on-status";

using environment_variables = std::vector<std::pair<std::string, std::string>>;

/// What every hook is told.
[[nodiscard]] environment_variables hook_environment(const ghost_settings& settings, const run_view& view,
                                                     const run_clock& clock, run_clock::time now);

/// Whether the hook that is waited for is to be killed. Asked again and again by the thread that waits.
using hook_interrupt = std::function<bool()>;

/// Runs the hooks of this name one after the other, in the order of their names, and waits for each; what they print
/// goes to standard error. The error is that of the first that cannot be run or does not end with 0; the others are not
/// run then. path: the folder; empty: nothing happens. A hook is killed, with what it has started, once interrupted()
/// says so; empty: ending_signal_waits().
[[nodiscard]] result<void, std::string> run_hooks(const std::string& path, const std::string& name,
                                                  const environment_variables& variables,
                                                  const hook_interrupt& interrupted = {});

}  // namespace sluice::ghost

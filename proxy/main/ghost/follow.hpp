#pragma once

// Follows a run to its end: status lines, a bar on a terminal, hooks, panic, signals.

#include "proxy/main/ghost/ghost_run.hpp"
#include "proxy/main/ghost/statsd.hpp"

#include <functional>
#include <memory>

namespace sluice::ghost {

/// What the follower does besides, where the run can.
struct follow_extras {
    // A count of the rows; all of them may be empty.
    std::function<void()> begin_count;  ///< once the copy begins; returns at once
    std::function<void()> end_count;    ///< before the cut-over
    std::function<bool()> count_ended;  ///< with a number or without
    std::function<bool()> counted;      ///< with a number
    bool count_first = false;           ///< the copy is held until the count has ended

    std::function<void()> reload;           ///< at SIGHUP, before settings and status are shown; may be empty
    std::shared_ptr<statsd_sender> statsd;  ///< may be nullptr
};

/// The exit code: 0 done, 1 failed, panicked or ended by a signal (then the tables are left). SIGINT, SIGTERM and
/// SIGHUP must be blocked.
int follow(ghost_run& run, const follow_extras& extras);

/// "FATAL" and the message on standard error, as gh-ost's log says it.
void say_fatal(const std::string& message);

}  // namespace sluice::ghost

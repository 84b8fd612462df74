#pragma once

// Starting other programs: nothing of ours is inherited but what is named here.

#include <filesystem>
#include <string>
#include <vector>

#include <sys/types.h>

namespace sluice::throwaway {

struct launch {
    std::vector<std::string> command;      ///< the program (a path, or a name in PATH) and its arguments
    std::vector<std::string> environment;  ///< "NAME=value", in addition to ours; wins over ours
    std::filesystem::path input = "/dev/null";
    std::filesystem::path output;  ///< standard output and error are appended to it; empty: thrown away
};

/// Starts it in a session of its own, so that Ctrl-C on our terminal does not reach it. Throws std::system_error.
[[nodiscard]] pid_t spawn(const launch& what);
/// Starts it and waits for its end; the exit status, or 128 + signal number.
[[nodiscard]] int run(const launch& what);
/// True when the child has ended (and then has been waited for).
[[nodiscard]] bool reap_if_ended(pid_t child);
/// The exit status, or 128 + signal number. Throws std::system_error when it is no child of ours.
int wait_until_ended(pid_t child);

/// A small process that outlives us by a moment: when we end, in whatever way, it kills the guarded process and removes
/// the folder.
class guard {
public:
    explicit guard(const std::filesystem::path& folder);
    guard(const guard&) = delete;
    guard& operator=(const guard&) = delete;
    ~guard();  ///< does the guard's work now, and waits for it

    /// This process is the one to kill; 0: none.
    void watch(pid_t child);

private:
    int pipe_ = -1;
    pid_t process_ = 0;
};

}  // namespace sluice::throwaway

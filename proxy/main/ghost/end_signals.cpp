#include "proxy/main/ghost/end_signals.hpp"

#include <csignal>
#include <ctime>

namespace sluice::ghost {

bool ending_signal_waits() {
    ::sigset_t waiting;
    sigemptyset(&waiting);
    return ::sigpending(&waiting) == 0 && (sigismember(&waiting, SIGINT) == 1 || sigismember(&waiting, SIGTERM) == 1);
}

std::optional<int> take_ending_signal() {
    ::sigset_t set;
    sigemptyset(&set);
    for (const int number : {SIGINT, SIGTERM}) sigaddset(&set, number);
    const ::timespec at_once{};
    const int number = ::sigtimedwait(&set, nullptr, &at_once);
    if (number < 0) return std::nullopt;
    return number;
}

}  // namespace sluice::ghost

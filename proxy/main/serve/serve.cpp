#include "proxy/main/serve/serve.hpp"

#include "proxy/main/exit_codes.hpp"
#include "proxy/main/serve/logging.hpp"
#include "proxy/main/serve/running_sluice.hpp"

#include <spdlog/spdlog.h>

#include <pthread.h>
#include <unistd.h>
#include <csignal>

#include <iostream>
#include <thread>

namespace sluice {
namespace {

::sigset_t signals_of(std::initializer_list<int> numbers) {
    ::sigset_t set;
    sigemptyset(&set);
    for (const int number : numbers) sigaddset(&set, number);
    return set;
}

int refuse_to_start(const admin::refusal& why) {
    std::cerr << "sluice: " << why.message << "\n";
    return exit_code::failure;
}

int wait_for_signal(const ::sigset_t& signals) {
    int number = 0;
    while (::sigwait(&signals, &number) != 0) {
    }
    return number;
}

/// While the orderly end takes its time, another signal ends the process there and then.
void end_at_second_signal() {
    std::thread([] {
        wait_for_signal(signals_of({SIGTERM, SIGINT}));
        spdlog::warn("second signal: ended at once");
        ::_exit(exit_code::failure);
    }).detach();
}

}  // namespace

int serve(config settings, const std::filesystem::path& file) {
    // Blocked before any thread exists, so that no thread but this one ever gets them.
    const ::sigset_t signals = signals_of({SIGTERM, SIGINT, SIGHUP});
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
    if (auto logging = start_logging(settings.log); logging.has_error()) return refuse_to_start(logging.error());
    auto running = running_sluice::start(std::move(settings));
    if (running.has_error()) return refuse_to_start(running.error());
    for (;;) {
        const int number = wait_for_signal(signals);
        if (number != SIGHUP) break;
        (*running)->reload(file);
    }
    spdlog::info("stopping");
    end_at_second_signal();
    (*running)->stop();
    return exit_code::ok;
}

}  // namespace sluice

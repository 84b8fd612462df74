#include "proxy/main/ghost/hooks.hpp"

#include "migration/sql/artefact_names.hpp"
#include "proxy/main/ghost/end_signals.hpp"

#include <spdlog/spdlog.h>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cerrno>
#include <csignal>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <set>
#include <thread>

extern char** environ;

namespace sluice::ghost {
namespace {

std::string in_seconds(std::chrono::nanoseconds time) {
    char text[48];
    std::snprintf(text, sizeof text, "%f", std::chrono::duration<double>(time).count());
    return text;
}

std::string decimal(double value) {
    char text[48];
    std::snprintf(text, sizeof text, "%f", value);
    return text;
}

std::string host_name() {
    char name[256] = {};
    return ::gethostname(name, sizeof name - 1) == 0 ? name : "";
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> all;
    all.reserve(texts.size() + 1);
    for (std::string& text : texts) all.push_back(text.data());
    all.push_back(nullptr);
    return all;
}

std::vector<std::string> with_own_environment(const environment_variables& variables) {
    std::set<std::string> names;
    std::vector<std::string> all;
    for (const auto& [name, value] : variables) {
        names.insert(name);
        all.push_back(name + "=" + value);
    }
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string text = *entry;
        if (!names.contains(text.substr(0, text.find('=')))) all.push_back(text);
    }
    return all;
}

/// The status it ended with; an error when it was killed here.
result<int, std::string> wait_for(::pid_t child, const std::string& program, const hook_interrupt& interrupted) {
    constexpr std::chrono::milliseconds pause_max{20};
    std::chrono::milliseconds pause{1};
    int status = 0;
    while (true) {
        const ::pid_t ended = ::waitpid(child, &status, WNOHANG);
        if (ended == child) return status;
        if (ended < 0 && errno != EINTR) return "hook " + program + ": " + std::strerror(errno);
        if (interrupted ? interrupted() : ending_signal_waits()) break;
        std::this_thread::sleep_for(pause);
        pause = std::min(2 * pause, pause_max);
    }
    // Its group: what a script waits for is mostly another program.
    ::kill(-child, SIGKILL);
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return "hook " + program + ": killed, since the run was told to end";
}

result<void, std::string> run_hook(const std::string& program, const environment_variables& variables,
                                   const hook_interrupt& interrupted) {
    spdlog::info("executing hook: {}", program);
    std::vector<std::string> words{program};
    std::vector<std::string> environment = with_own_environment(variables);
    ::posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
    // Signals that this process keeps blocked for itself are not the hook's business.
    ::posix_spawnattr_t attributes;
    ::posix_spawnattr_init(&attributes);
    ::sigset_t none;
    sigemptyset(&none);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setpgroup(&attributes, 0);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    ::pid_t child = 0;
    const int failed = ::posix_spawn(&child, program.c_str(), &actions, &attributes, pointers(words).data(),
                                     pointers(environment).data());
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
    if (failed != 0) return "fork/exec " + program + ": " + std::strerror(failed);
    SLUICE_TRY(const int status, wait_for(child, program, interrupted));
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
    return "hook " + program + ": " +
           (WIFEXITED(status) ? "exit status " + std::to_string(WEXITSTATUS(status))
                              : "signal " + std::to_string(WTERMSIG(status)));
}

}  // namespace

environment_variables hook_environment(const ghost_settings& settings, const run_view& view, const run_clock& clock,
                                       run_clock::time now) {
    const migration::migration_spec& spec = settings.spec;
    const auto names = migration::artefact_names_of(spec.table.table, spec.options.tables_named_after);
    const std::string& old_name = spec.options.old_table_name;
    const auto copy_time = clock.copy(now);
    const double share = view.copied() ? 100.0
                         : view.rows_estimate == 0
                             ? 0.0
                             : 100.0 * static_cast<double>(view.rows_copied) / static_cast<double>(view.rows_estimate);
    const auto left = eta_of(view, copy_time).seconds;
    const migration::server_address& master = settings.master ? *settings.master : settings.server;
    return {{"GH_OST_DATABASE_NAME", spec.table.schema},
            {"GH_OST_TABLE_NAME", spec.table.table},
            {"GH_OST_GHOST_TABLE_NAME", names.ghost},
            {"GH_OST_OLD_TABLE_NAME", old_name.empty() ? names.old_table : old_name},
            {"GH_OST_DDL", spec.alter},
            {"GH_OST_ELAPSED_SECONDS", in_seconds(clock.total(now))},
            {"GH_OST_ELAPSED_COPY_SECONDS", in_seconds(copy_time)},
            {"GH_OST_ESTIMATED_ROWS", std::to_string(view.rows_estimate)},
            {"GH_OST_COPIED_ROWS", std::to_string(view.rows_copied)},
            {"GH_OST_MIGRATED_HOST", master.host},
            {"GH_OST_INSPECTED_HOST", settings.server.host},
            {"GH_OST_EXECUTING_HOST", host_name()},
            {"GH_OST_INSPECTED_LAG", decimal(view.lag_s)},
            {"GH_OST_HEARTBEAT_LAG", decimal(view.heartbeat_lag_s)},
            {"GH_OST_PROGRESS", decimal(share)},
            {"GH_OST_ETA_SECONDS", std::to_string(left.value_or(-1))},
            {"GH_OST_HOOKS_HINT", settings.hooks.hint},
            {"GH_OST_HOOKS_HINT_OWNER", settings.hooks.hint_owner},
            {"GH_OST_HOOKS_HINT_TOKEN", settings.hooks.hint_token},
            {"GH_OST_DRY_RUN", settings.execute ? "false" : "true"},
            {"GH_OST_REVERT", spec.kind == migration::run_kind::take_back ? "true" : "false"}};
}

result<void, std::string> run_hooks(const std::string& path, const std::string& name,
                                    const environment_variables& variables, const hook_interrupt& interrupted) {
    if (path.empty()) return {};
    std::vector<std::string> programs;
    std::error_code error;
    for (std::filesystem::directory_iterator at(path, error), end; !error && at != end; at.increment(error)) {
        if (at->path().filename().string().starts_with(name)) programs.push_back(at->path().string());
    }
    // A folder that is not there has no hooks, as in gh-ost; one that cannot be read is a mistake.
    if (error && error != std::errc::no_such_file_or_directory) return "--hooks-path " + path + ": " + error.message();
    std::sort(programs.begin(), programs.end());
    for (const std::string& program : programs) SLUICE_TRY_VOID(run_hook(program, variables, interrupted));
    return {};
}

}  // namespace sluice::ghost

#include "bench/throwaway/child_process.hpp"

#include <cerrno>
#include <csignal>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace sluice::throwaway {
namespace {

void check(int error, const std::string& what) {
    if (error != 0) throw std::system_error(error, std::generic_category(), what);
}

struct file_actions {
    file_actions() { check(posix_spawn_file_actions_init(&value), "posix_spawn_file_actions_init"); }
    file_actions(const file_actions&) = delete;
    file_actions& operator=(const file_actions&) = delete;
    ~file_actions() { posix_spawn_file_actions_destroy(&value); }
    posix_spawn_file_actions_t value{};
};

struct attributes {
    attributes() { check(posix_spawnattr_init(&value), "posix_spawnattr_init"); }
    attributes(const attributes&) = delete;
    attributes& operator=(const attributes&) = delete;
    ~attributes() { posix_spawnattr_destroy(&value); }
    posix_spawnattr_t value{};
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> result;
    result.reserve(texts.size() + 1);
    for (auto& text : texts) result.push_back(text.data());
    result.push_back(nullptr);
    return result;
}

std::string_view name_of(std::string_view variable) { return variable.substr(0, variable.find('=')); }

std::vector<std::string> environment_with(const std::vector<std::string>& additions) {
    std::vector<std::string> result = additions;
    for (char** variable = environ; *variable != nullptr; ++variable) {
        bool replaced = false;
        for (const auto& addition : additions) replaced = replaced || name_of(addition) == name_of(*variable);
        if (!replaced) result.emplace_back(*variable);
    }
    return result;
}

/// `input_descriptor` is used for standard input when it is not negative, the file otherwise.
pid_t spawn_with(const launch& what, int input_descriptor) {
    file_actions actions;
    if (input_descriptor >= 0) {
        check(posix_spawn_file_actions_adddup2(&actions.value, input_descriptor, STDIN_FILENO), "spawn: input");
    } else {
        check(posix_spawn_file_actions_addopen(&actions.value, STDIN_FILENO, what.input.c_str(), O_RDONLY, 0),
              "spawn: input");
    }
    const char* output = what.output.empty() ? "/dev/null" : what.output.c_str();
    check(posix_spawn_file_actions_addopen(&actions.value, STDOUT_FILENO, output, O_WRONLY | O_CREAT | O_APPEND, 0644),
          "spawn: output");
    check(posix_spawn_file_actions_adddup2(&actions.value, STDOUT_FILENO, STDERR_FILENO), "spawn: error");
    check(posix_spawn_file_actions_addclosefrom_np(&actions.value, STDERR_FILENO + 1), "spawn: descriptors");

    attributes settings;
    // Our own signal dispositions and mask are no business of a server's.
    sigset_t none;
    sigemptyset(&none);
    sigset_t defaults;
    sigemptyset(&defaults);
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGQUIT, SIGCHLD}) sigaddset(&defaults, number);
    check(posix_spawnattr_setsigmask(&settings.value, &none), "spawn: signals");
    check(posix_spawnattr_setsigdefault(&settings.value, &defaults), "spawn: signals");
    check(
        posix_spawnattr_setflags(&settings.value, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF),
        "spawn: session");

    auto command = what.command;
    auto environment = environment_with(what.environment);
    const auto command_pointers = pointers(command);
    const auto environment_pointers = pointers(environment);
    pid_t child = 0;
    check(posix_spawnp(&child, command[0].c_str(), &actions.value, &settings.value, command_pointers.data(),
                       environment_pointers.data()),
          "cannot start " + command[0]);
    return child;
}

}  // namespace

pid_t spawn(const launch& what) { return spawn_with(what, -1); }

int run(const launch& what) { return wait_until_ended(spawn(what)); }

bool reap_if_ended(pid_t child) {
    const pid_t answer = waitpid(child, nullptr, WNOHANG);
    return answer == child || (answer < 0 && errno == ECHILD);
}

int wait_until_ended(pid_t child) {
    int status = 0;
    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) check(errno, "waitpid");
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

guard::guard(const std::filesystem::path& folder) {
    // A shell rather than a forked copy of us: we may have threads. Killed is not yet ended, and a process that still
    // writes would fill the folder again; one that has ended has no `exe` any more, even if nobody reaps it.
    static constexpr const char* script =
        "last=0; while read -r process; do last=$process; done\n"
        "if [ \"$last\" -gt 0 ]; then kill -9 \"$last\" 2>/dev/null; fi\n"
        "n=0; while [ -e \"/proc/$last/exe\" ] && [ $n -lt 100 ]; do n=$((n + 1)); sleep 0.05; done\n"
        "rm -rf -- \"$1\"";
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) check(errno, "pipe");
    pipe_ = ends[1];
    launch shell;
    shell.command = {"/bin/sh", "-c", script, "throwaway-guard", folder.string()};
    process_ = spawn_with(shell, ends[0]);
    close(ends[0]);
}

guard::~guard() {
    close(pipe_);
    (void)wait_until_ended(process_);
}

void guard::watch(pid_t child) {
    const auto line = std::to_string(child) + "\n";
    // Lines this short go through a pipe whole; a guard that has died already cannot be helped.
    while (write(pipe_, line.data(), line.size()) < 0 && errno == EINTR) {
    }
}

}  // namespace sluice::throwaway

#include "tests/integration/process_runner.hpp"

#include "bench/throwaway/server.hpp"
#include "tests/support/catch.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>

extern char** environ;

namespace sluice::test {
namespace {

constexpr std::chrono::seconds message_limit{60};
constexpr std::chrono::seconds end_limit{300};

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> all;
    for (std::string& text : texts) all.push_back(text.data());
    all.push_back(nullptr);
    return all;
}

/// Without SLUICE_… of whoever runs the tests.
std::vector<std::string> clean_environment(const std::vector<std::string>& more) {
    std::vector<std::string> all;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string text = *entry;
        if (!text.starts_with("SLUICE_URL=") && !text.starts_with("SLUICE_TOKEN_FILE=")) all.push_back(text);
    }
    all.insert(all.end(), more.begin(), more.end());
    return all;
}

bool drain(int& fd, std::string& text) {
    char buffer[4096];
    const ::ssize_t got = ::read(fd, buffer, sizeof buffer);
    if (got > 0) {
        text.append(buffer, static_cast<std::size_t>(got));
        return true;
    }
    ::close(fd);
    fd = -1;
    return false;
}

}  // namespace

sluice_process::sluice_process(const std::vector<std::string>& arguments, const std::vector<std::string>& environment) {
    std::array<int, 2> out{};
    std::array<int, 2> err{};
    REQUIRE(::pipe2(out.data(), O_CLOEXEC) == 0);
    REQUIRE(::pipe2(err.data(), O_CLOEXEC) == 0);
    std::vector<std::string> texts{SLUICE_BINARY};
    texts.insert(texts.end(), arguments.begin(), arguments.end());
    std::vector<std::string> variables = clean_environment(environment);
    ::posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    ::posix_spawn_file_actions_adddup2(&actions, err[1], 2);
    const int failed =
        ::posix_spawn(&pid_, SLUICE_BINARY, &actions, nullptr, pointers(texts).data(), pointers(variables).data());
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(out[1]);
    ::close(err[1]);
    out_ = out[0];
    err_ = err[0];
    REQUIRE(failed == 0);
}

sluice_process::~sluice_process() {
    if (!ended_ && pid_ > 0) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    if (out_ >= 0) ::close(out_);
    if (err_ >= 0) ::close(err_);
}

void sluice_process::pump(std::chrono::milliseconds wait) {
    std::array<::pollfd, 2> both{::pollfd{out_, POLLIN, 0}, ::pollfd{err_, POLLIN, 0}};
    if (::poll(both.data(), both.size(), static_cast<int>(wait.count())) <= 0) return;
    if (out_ >= 0 && both[0].revents != 0) drain(out_, result_.out);
    if (err_ >= 0 && both[1].revents != 0) drain(err_, result_.err);
}

std::string sluice_process::wait_for_message(const std::string& text) {
    const auto limit = std::chrono::steady_clock::now() + message_limit;
    for (;;) {
        const auto at = result_.err.find(text);
        const auto end = at == std::string::npos ? at : result_.err.find('\n', at);
        if (end != std::string::npos) return result_.err.substr(0, end);
        INFO("waiting for: " << text << "\nstandard error so far:\n" << result_.err);
        REQUIRE(err_ >= 0);
        REQUIRE(std::chrono::steady_clock::now() < limit);
        pump(std::chrono::milliseconds(100));
    }
}

void sluice_process::signal(int number) const { REQUIRE(::kill(pid_, number) == 0); }

bool sluice_process::running() {
    ::siginfo_t about{};
    return !ended_ && ::waitid(P_PID, static_cast<::id_t>(pid_), &about, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           about.si_pid == 0;
}

finished sluice_process::wait() {
    const auto limit = std::chrono::steady_clock::now() + end_limit;
    while (out_ >= 0 || err_ >= 0) {
        INFO("standard error so far:\n" << result_.err);
        REQUIRE(std::chrono::steady_clock::now() < limit);
        pump(std::chrono::milliseconds(100));
    }
    int status = 0;
    REQUIRE(::waitpid(pid_, &status, 0) == pid_);
    ended_ = true;
    result_.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return result_;
}

finished run_sluice(const std::vector<std::string>& arguments, const std::vector<std::string>& environment) {
    sluice_process process(arguments, environment);
    return process.wait();
}

config_folder::config_folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "sluice-process-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
    write("admin.token", "a-token-for-the-process-tests\n");
}

config_folder::~config_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

std::string config_folder::write(const std::string& name, const std::string& text) const {
    const auto file = path_ / name;
    std::ofstream(file, std::ios::binary) << text;
    REQUIRE(::chmod(file.c_str(), 0600) == 0);
    return file.string();
}

std::string config_folder::write_config(std::uint16_t server_port, const std::string& engine_password,
                                        const std::string& proxy_listen, const std::string& admin_listen,
                                        const std::string& proxy_settings) const {
    write("engine.password", engine_password + "\n");
    return write("sluice.toml", "[proxy]\nlisten = \"" + proxy_listen + "\"\ndrain_limit_s = 20\n" + proxy_settings +
                                    "[server]\nport = " + std::to_string(server_port) + "\n[engine]\nuser = \"" +
                                    throwaway::sluice_user +
                                    "\"\npassword_file = \"engine.password\"\n[admin]\nlisten = \"" + admin_listen +
                                    "\"\ntoken_file = \"admin.token\"\n");
}

}  // namespace sluice::test

#include "bench/throwaway/server.hpp"

#include "bench/throwaway/child_process.hpp"
#include "bench/throwaway/programs.hpp"
#include "bench/throwaway/readiness.hpp"
#include "bench/throwaway/template_folder.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <optional>
#include <thread>
#include <utility>

#include <unistd.h>

namespace sluice::throwaway {
namespace {

namespace fs = std::filesystem;
using std::chrono::steady_clock;

constexpr int port_attempts = 5;

fs::path new_folder() {
    std::string name = (fs::temp_directory_path() / "sluice-XXXXXX").string();
    // The address of a Unix-domain socket has 108 bytes.
    if (name.size() > 90) throw server_error("the path of TMPDIR is too long for a server's socket: " + name);
    if (mkdtemp(name.data()) == nullptr) throw server_error("cannot make " + name + ": " + std::strerror(errno));
    return name;
}

std::string read_all(const fs::path& file) {
    std::ifstream stream(file);
    return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

std::string last_part(const std::string& text) {
    constexpr std::size_t enough = 3000;
    return text.size() > enough ? "..." + text.substr(text.size() - enough) : text;
}

}  // namespace

struct server::running_server {
    explicit running_server(server_options wanted)
        : options(std::move(wanted)),
          server_program(find_program(options.kind)),
          folder(new_folder()),
          cleaner(folder) {}
    running_server(const running_server&) = delete;
    running_server& operator=(const running_server&) = delete;
    ~running_server() {
        end(SIGKILL);
        // What is left is the guard's work; a folder in a temporary place is no reason to throw.
    }

    void copy_template(const fs::path& prepared) {
        launch copy;
        copy.command = {"cp", "-R", "--reflink=auto", "--sparse=always", prepared.string(), (folder / "data").string()};
        copy.output = log();
        if (run(copy) != 0) throw server_error("cannot copy the prepared data directory: " + read_all(log()));
        fs::create_directory(folder / "tmp");
    }

    [[nodiscard]] fs::path log() const { return folder / "log"; }

    enum class launch_outcome { running, port_taken };

    launch_outcome launch_once() {
        launch start;
        start.command = server_program.command;
        for (const auto& part : {base_arguments(options.kind, folder, port), option_arguments(options)}) {
            start.command.insert(start.command.end(), part.begin(), part.end());
        }
        start.environment = server_program.environment;
        start.environment.insert(start.environment.end(), options.extra_environment.begin(),
                                 options.extra_environment.end());
        start.output = log();
        const auto log_begin = read_all(log()).size();
        process = spawn(start);
        cleaner.watch(process);
        const auto limit = steady_clock::now() + options.start_limit;
        for (;;) {
            if (ended()) {
                const auto said = read_all(log()).substr(log_begin);
                if (said.find("Address already in use") != std::string::npos) return launch_outcome::port_taken;
                throw server_error(std::string(to_string(options.kind)) + " did not start:\n" + last_part(said));
            }
            // Somebody else's server may answer at the port that ours could not take: ours must be alive as well.
            if (greets(port) && !ended() && fs::exists(folder / "pid")) return launch_outcome::running;
            if (steady_clock::now() > limit) {
                end(SIGKILL);
                throw server_error(std::string(to_string(options.kind)) + " is not ready after " +
                                   std::to_string(options.start_limit.count()) + " ms:\n" +
                                   last_part(read_all(log()).substr(log_begin)));
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
    }

    void launch_on_any_port() {
        for (int attempt = 1;; ++attempt) {
            port = free_port();
            if (launch_once() == launch_outcome::running) return;
            if (attempt == port_attempts) throw server_error("no free port found in several attempts");
        }
    }

    void launch_on_same_port() {
        for (int attempt = 1;; ++attempt) {
            if (launch_once() == launch_outcome::running) return;
            if (attempt == port_attempts) throw server_error("port " + std::to_string(port) + " has been taken");
        }
    }

    bool ended() {
        if (process == 0) return true;
        if (!reap_if_ended(process)) return false;
        forget();
        return true;
    }

    void end(int signal_number) {
        if (ended()) return;
        ::kill(process, signal_number);
        ::kill(process, SIGCONT);  // it may be suspended
        (void)wait_until_ended(process);
        forget();
    }

    void forget() {
        process = 0;
        cleaner.watch(0);
        std::error_code ignored;
        fs::remove(folder / "pid", ignored);
    }

    server_options options;
    program server_program;
    fs::path folder;
    guard cleaner;
    std::string host = "127.0.0.1";
    std::uint16_t port = 0;
    pid_t process = 0;
    std::chrono::milliseconds start_took{0};
};

server::server(std::unique_ptr<running_server> state) : state_(std::move(state)) {}
server::server(server&&) noexcept = default;
server& server::operator=(server&&) noexcept = default;
server::~server() = default;

server server::start(server_options options) {
    try {
        auto state = std::make_unique<running_server>(std::move(options));
        const auto prepared = template_folder(state->server_program);  // made here the first time: not measured
        const auto begin = steady_clock::now();
        state->copy_template(prepared);
        state->launch_on_any_port();
        state->start_took = std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now() - begin);
        return server(std::move(state));
    } catch (const std::system_error& failure) {
        throw server_error(failure.what());
    }
}

const server_options& server::options() const { return state_->options; }
const std::string& server::host() const { return state_->host; }
std::uint16_t server::port() const { return state_->port; }
const fs::path& server::folder() const { return state_->folder; }
fs::path server::data_folder() const { return state_->folder / "data"; }
fs::path server::socket_file() const { return state_->folder / "socket"; }
int server::process_id() const { return state_->process; }
bool server::running() const { return !state_->ended(); }
std::string server::error_log() const { return read_all(state_->log()); }
std::chrono::milliseconds server::last_start_took() const { return state_->start_took; }

void server::stop() { state_->end(SIGTERM); }
void server::kill() { state_->end(SIGKILL); }

void server::restart() {
    stop();
    const auto begin = steady_clock::now();
    state_->launch_on_same_port();
    state_->start_took = std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now() - begin);
}

void server::restart(std::vector<std::string> extra_arguments) {
    state_->options.extra_arguments = std::move(extra_arguments);
    restart();
}

void server::suspend() {
    if (running()) ::kill(state_->process, SIGSTOP);
}

void server::resume() {
    if (running()) ::kill(state_->process, SIGCONT);
}

}  // namespace sluice::throwaway

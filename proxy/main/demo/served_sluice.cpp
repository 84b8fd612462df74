#include "proxy/main/demo/served_sluice.hpp"

#include "bench/throwaway/server.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <csignal>
#include <fstream>
#include <random>
#include <sstream>
#include <thread>

namespace sluice {
namespace {

using boost::asio::ip::tcp;
using std::chrono::steady_clock;

constexpr std::chrono::seconds ready_max{60};
constexpr std::chrono::milliseconds ports_poll{200};
constexpr int port_tries = 5;

std::uint16_t free_port() {
    boost::asio::io_context io;
    const tcp::acceptor acceptor(io, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
    return acceptor.local_endpoint().port();
}

std::filesystem::path fresh_folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "sluice-demo-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw demo_error("no temporary folder can be made at " + pattern);
    return pattern;
}

void write_file(const std::filesystem::path& file, const std::string& text) {
    std::ofstream(file) << text;
    std::filesystem::permissions(file, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

std::string fresh_token() {
    std::random_device source;
    std::string token;
    for (int i = 0; i < 32; ++i) token += "0123456789abcdef"[source() % 16];
    return token;
}

}  // namespace

served_sluice::served_sluice(const std::filesystem::path& program, std::uint16_t server_port,
                             const std::string& server_settings)
    : program_(program), folder_(fresh_folder()), guard_(std::make_unique<throwaway::guard>(folder_)) {
    // Somebody else may get a port that was free a moment ago.
    for (int tries = 1;; ++tries) {
        port_ = free_port();
        admin_port_ = free_port();
        write_configuration(server_port, server_settings);
        try {
            start();
            return;
        } catch (const demo_error&) {
            if (!port_was_taken() || tries == port_tries) throw;
        }
    }
}

void served_sluice::start() {
    log_before_ = log().size();
    throwaway::launch launch;
    launch.command = {program_.string(), "serve", "--config", (folder_ / "sluice.toml").string()};
    launch.output = folder_ / "sluice.log";
    process_ = throwaway::spawn(launch);
    guard_->watch(process_);
    wait_until_ready();
}

served_sluice::~served_sluice() {
    try {
        kill();
    } catch (const std::exception&) {
        // The guard kills it and removes the folder.
    }
}

void served_sluice::write_configuration(std::uint16_t server_port, const std::string& server_settings) const {
    write_file(folder_ / "engine.password", std::string(throwaway::sluice_password) + "\n");
    write_file(folder_ / "admin.token", fresh_token() + "\n");
    write_file(folder_ / "sluice.toml",
               "[proxy]\nlisten = \"127.0.0.1:" + std::to_string(port_) +
                   "\"\n[server]\nhost = \"127.0.0.1\"\nport = " + std::to_string(server_port) + "\n" +
                   server_settings + "\n[engine]\nuser = \"" + throwaway::sluice_user +
                   "\"\npassword_file = \"engine.password\"\n[admin]\nlisten = \"127.0.0.1:" +
                   std::to_string(admin_port_) + "\"\ntoken_file = \"admin.token\"\n");
}

void served_sluice::wait_until_ready() {
    const admin_address address{"http://127.0.0.1:" + std::to_string(admin_port_), (folder_ / "admin.token").string()};
    auto client = admin_client::make(address);
    if (!client) throw demo_error(client.error().message);
    client_ = std::move(client).value();
    const auto until = steady_clock::now() + ready_max;
    while (true) {
        if (client_->get("/v1/migrations")) return;
        if (throwaway::reap_if_ended(process_)) {
            process_ = 0;
            throw demo_error("sluice serve did not start:\n" + log());
        }
        if (steady_clock::now() > until) throw demo_error("sluice serve is not ready after a minute:\n" + log());
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
}

int served_sluice::stop() {
    client_.reset();
    if (process_ == 0) return 0;
    ::kill(process_, SIGTERM);
    const int status = throwaway::wait_until_ended(process_);
    process_ = 0;
    return status;
}

void served_sluice::kill() {
    client_.reset();
    if (process_ == 0) return;
    ::kill(process_, SIGKILL);
    (void)throwaway::wait_until_ended(process_);
    process_ = 0;
}

void served_sluice::start_again() {
    SLUICE_ASSERT(process_ == 0);
    const auto until = steady_clock::now() + ready_max;
    while (true) {
        try {
            return start();
        } catch (const demo_error&) {
            // The ports are known to clients: whoever has one meanwhile mostly lets go of it soon.
            if (!port_was_taken() || steady_clock::now() > until) throw;
        }
        std::this_thread::sleep_for(ports_poll);
    }
}

bool served_sluice::port_was_taken() const {
    return process_ == 0 && log().find("Address already in use", log_before_) != std::string::npos;
}

std::string served_sluice::log() const {
    std::ostringstream text;
    text << std::ifstream(folder_ / "sluice.log").rdbuf();
    return text.str();
}

}  // namespace sluice

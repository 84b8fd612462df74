#pragma once

// A `sluice serve` process of our own, with its configuration in a temporary folder.

#include "bench/throwaway/child_process.hpp"
#include "proxy/main/client/admin_client.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

namespace sluice {

class demo_error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// Throws demo_error when it does not come up; the message ends with its log.
class served_sluice {
public:
    /// program: the executable to run. server_port: of the MySQL on 127.0.0.1. server_settings: more lines of the
    /// configuration's section [server].
    served_sluice(const std::filesystem::path& program, std::uint16_t server_port,
                  const std::string& server_settings = {});
    ~served_sluice();  ///< kills what still runs, and removes the folder
    served_sluice(const served_sluice&) = delete;
    served_sluice& operator=(const served_sluice&) = delete;

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    [[nodiscard]] admin_client& admin() { return *client_; }
    [[nodiscard]] pid_t process_id() const noexcept { return process_; }  ///< 0 when it does not run
    /// SIGTERM, and waits for the end; the exit status, or 128 + signal number.
    int stop();
    /// kill -9, and waits for the end.
    void kill();
    /// After stop() or kill(): the same configuration and ports again.
    void start_again();
    [[nodiscard]] std::string admin_url() const { return "http://127.0.0.1:" + std::to_string(admin_port_); }
    [[nodiscard]] std::filesystem::path token_file() const { return folder_ / "admin.token"; }
    [[nodiscard]] std::string log() const;

private:
    void write_configuration(std::uint16_t server_port, const std::string& server_settings) const;
    void start();
    [[nodiscard]] bool port_was_taken() const;  ///< by somebody else, when it was started last
    void wait_until_ready();

    std::filesystem::path program_;
    std::filesystem::path folder_;
    std::unique_ptr<throwaway::guard> guard_;
    std::uint16_t port_ = 0;
    std::uint16_t admin_port_ = 0;
    std::size_t log_before_ = 0;  ///< its length when it was started last
    pid_t process_ = 0;
    std::unique_ptr<admin_client> client_;
};

}  // namespace sluice

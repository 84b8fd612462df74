#pragma once

// Runs the real `sluice` and looks at what it says and how it ends.

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace sluice::test {

struct finished {
    int exit_code = -1;  ///< 128 + signal when a signal ended it
    std::string out;
    std::string err;
};

/// A `sluice` at work. Killed at the end of this object's life, if it still runs.
class sluice_process {
public:
    explicit sluice_process(const std::vector<std::string>& arguments,
                            const std::vector<std::string>& environment = {});
    ~sluice_process();
    sluice_process(const sluice_process&) = delete;
    sluice_process& operator=(const sluice_process&) = delete;

    /// Waits until standard error holds `text`; what it holds up to the end of that line. Fails the test when the
    /// process ends, or 60 s pass, before that.
    std::string wait_for_message(const std::string& text);
    void signal(int number) const;
    [[nodiscard]] bool running();
    /// Waits for the end, at most 300 s.
    finished wait();

private:
    void pump(std::chrono::milliseconds wait);

    int pid_ = -1;
    int out_ = -1;
    int err_ = -1;
    finished result_;
    bool ended_ = false;
};

[[nodiscard]] finished run_sluice(const std::vector<std::string>& arguments,
                                  const std::vector<std::string>& environment = {});

/// A folder for a configuration and its secrets, removed at the end.
class config_folder {
public:
    config_folder();
    ~config_folder();
    config_folder(const config_folder&) = delete;
    config_folder& operator=(const config_folder&) = delete;

    /// Writes a file that only its owner may use; its path.
    std::string write(const std::string& name, const std::string& text) const;
    /// Writes sluice.toml for a server on this port, with free ports for proxy and admin; its path. proxy_settings:
    /// further lines of [proxy].
    std::string write_config(std::uint16_t server_port, const std::string& engine_password,
                             const std::string& proxy_listen = "127.0.0.1:0",
                             const std::string& admin_listen = "127.0.0.1:0",
                             const std::string& proxy_settings = {}) const;
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

}  // namespace sluice::test

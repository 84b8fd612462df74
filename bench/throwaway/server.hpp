#pragma once

// A real database server that lives as long as this object: on a port of its own, in a folder of its own, started from
// a copy of a prepared data directory in about a second. For tests, benchmarks and `sluice demo`.
//
// Accounts of every server, besides root@localhost and root@127.0.0.1 without a password: `app` (an application's
// rights on every schema) and `sluice` (what a migration needs), see the constants below. On MySQL 9.7 they log in by
// caching_sha2_password, elsewhere by mysql_native_password. The data directory has an empty schema `test`.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace sluice::throwaway {

inline constexpr const char* app_user = "app";
inline constexpr const char* app_password = "app-secret";
inline constexpr const char* sluice_user = "sluice";
inline constexpr const char* sluice_password = "sluice-secret";

/// The server program is missing, or it did not start; the message says which and ends with the server's error log.
class server_error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

enum class server_kind {
    mysql_9_7,      ///< $SLUICE_TEST_MYSQLD, else the tree that scripts/setup unpacked, else a MySQL `mysqld` in PATH
    mysql_5_6,      ///< the package that scripts/setup unpacked; stands for the 5.x line
    mariadb_10_11,  ///< $SLUICE_TEST_MARIADBD, else the system's mariadbd
};

[[nodiscard]] const char* to_string(server_kind kind);

struct server_options {
    server_kind kind = server_kind::mysql_9_7;
    bool binlog = true;              ///< row format; the files are <folder>/data/binlog.NNNNNN
    bool gtid = true;                ///< gtid_mode=ON. MariaDB has its own GTIDs always.
    std::uint32_t server_id = 1;     ///< 1 .. 2^32-1
    std::string row_image = "FULL";  ///< binlog_row_image: FULL, MINIMAL or NOBLOB
    bool durable = false;            ///< false: no flush per commit; it survives kill -9 of the server all the same
    bool performance_schema = true;  ///< only looked at on 9.7; elsewhere off
    std::vector<std::string> extra_arguments;      ///< e.g. "--max-connections=10"; they win over everything above
    std::vector<std::string> extra_environment{};  ///< "NAME=value"
    std::chrono::milliseconds start_limit{60'000};
};

/// Not thread-safe; every object belongs to one thread at a time. Several servers may run side by side.
/// If this process dies in whatever way, a small guard process kills the server and removes its folder.
class server {
public:
    /// Throws server_error.
    [[nodiscard]] static server start(server_options options = {});

    server(server&&) noexcept;
    server& operator=(server&&) noexcept;
    /// Kills the server and removes its folder.
    ~server();

    [[nodiscard]] const server_options& options() const;
    [[nodiscard]] const std::string& host() const;  ///< always 127.0.0.1
    [[nodiscard]] std::uint16_t port() const;       ///< outside the range of ephemeral ports; kept over restarts
    [[nodiscard]] const std::filesystem::path& folder() const;
    [[nodiscard]] std::filesystem::path data_folder() const;
    [[nodiscard]] std::filesystem::path socket_file() const;  ///< the Unix-domain socket
    [[nodiscard]] int process_id() const;                     ///< 0 when it does not run
    [[nodiscard]] bool running() const;                       ///< false as well after the server died by itself
    [[nodiscard]] std::string error_log() const;

    /// Orderly shutdown; returns when the process has ended. No effect when it does not run.
    void stop();
    /// kill -9; returns when the process has ended. No effect when it does not run.
    void kill();
    /// Stops it if it runs and starts it again on the same data and port. Throws server_error.
    void restart();
    /// The same, with other extra arguments from now on.
    void restart(std::vector<std::string> extra_arguments);
    /// SIGSTOP and SIGCONT: a server that accepts connections (by the kernel's backlog) and says nothing.
    void suspend();
    void resume();

    /// How long the last start took, from the first byte copied to the server's first greeting.
    [[nodiscard]] std::chrono::milliseconds last_start_took() const;

private:
    struct running_server;
    explicit server(std::unique_ptr<running_server> state);

    std::unique_ptr<running_server> state_;
};

}  // namespace sluice::throwaway

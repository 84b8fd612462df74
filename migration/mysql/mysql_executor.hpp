#pragma once

// The engine's SQL connections, on libmysqlclient (or MariaDB Connector/C, which some distributions ship under that
// name).

#include "migration/mysql/server_address.hpp"
#include "migration/ports/sql_executor.hpp"

#include <chrono>
#include <memory>
#include <mutex>
#include <string>

namespace sluice::migration {

struct mysql_executor_options {
    std::chrono::seconds connect_limit{10};  ///< TCP, greeting and login together; 1 s … 5 min
    /// Longest silence of the server inside one statement; 0: none. A statement may rightly be silent for hours
    /// (building an index), so by default only TCP keepalive (about 25 s) tells that the server's machine is gone.
    std::chrono::seconds read_limit{0};
    std::chrono::seconds write_limit{60};         ///< longest time in which the server takes no bytes; 0: none
    std::chrono::seconds lock_wait_limit{5};      ///< metadata locks (lock_wait_timeout); at least 1 s
    std::chrono::seconds row_lock_wait_limit{5};  ///< innodb_lock_wait_timeout; at least 1 s
};

class open_sockets;  // migration/mysql/open_sockets.hpp

/// Thread-safe. A session may be used by any thread, by one at a time; the client library's per-thread memory is set up
/// where needed and given back at the thread's end. caching_sha2_password with a cold cache logs in over TLS, or over
/// the server's RSA key.
///
/// Failures of connect(): "access_denied" (abort), "cannot_connect" (retry), "unsupported_login" (abort; a plug-in that
/// the client library lacks), "tls_failed" (retry), "server_error".
/// Failures of run(), see also sql_executor.hpp: "connection_lost", "deadlock", "lock_wait_timeout", "duplicate_entry",
/// "data_truncated", "out_of_range", "null_not_allowed", "invalid_value", "access_denied", "no_such_table",
/// "read_only", "interrupted", "out_of_space", "server_error". server_errno and sqlstate tell what the server said;
/// `attempted` is the statement's beginning, at most 300 characters. Warnings of the server are no errors.
class mysql_executor final : public sql_executor {
public:
    explicit mysql_executor(server_address address, mysql_executor_options options = {});
    outcome<std::unique_ptr<sql_session>> connect() override;

    /// Breaks all its connections, and makes no more: whoever waits for an answer has "connection_lost" at once. For a
    /// stop that must not take as long as a server is silent.
    void break_connections();

private:
    outcome<std::string> fingerprint();

    server_address address_;
    mysql_executor_options options_;
    std::mutex mutex_;
    std::string fingerprint_;  ///< of the server's certificate, where the client library needs it
    std::shared_ptr<open_sockets> sockets_;
};

}  // namespace sluice::migration

#pragma once

// The engine's way to run SQL on the server. Implemented on libmysqlclient in migration/mysql, by scripts in unit
// tests.

#include "migration/model/failure.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::migration {

using cell = std::optional<std::string>;  ///< one value in text form; nullopt is SQL NULL

struct query_result {
    std::vector<std::string> columns;
    std::vector<std::vector<cell>> rows;
    std::uint64_t affected_rows = 0;
};

/// One server connection. Blocking; used by one thread at a time. Never pooled: a session that held a lock is closed.
class sql_session {
public:
    virtual ~sql_session() = default;

    /// Runs one statement and reads its whole result. A lost connection is a failure with code "connection_lost" and
    /// disposition outcome_unknown; the session is then dead (every later call fails the same way).
    /// Deadlock (1213) and lock wait timeout (1205) are failures with disposition retry.
    virtual outcome<query_result> run(std::string_view sql) = 0;

    /// The server's id of this connection, for KILL from another session.
    [[nodiscard]] virtual std::uint64_t connection_id() const = 0;
};

/// Opens sessions on the primary. Thread-safe.
class sql_executor {
public:
    virtual ~sql_executor() = default;

    /// A new session, prepared for the engine: utf8mb4, READ COMMITTED, autocommit, time_zone '+00:00', sql_mode
    /// STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION,
    /// short lock_wait_timeout and innodb_lock_wait_timeout (seconds), long wait_timeout, explain_format not relied on.
    virtual outcome<std::unique_ptr<sql_session>> connect() = 0;
};

}  // namespace sluice::migration

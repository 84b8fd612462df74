#pragma once

// Error numbers of server and client library as failures of the engine. Pure functions; safe from any thread.
// Source: MySQL 9.7 Error Reference (server errors, client errors 2000-2999); MariaDB Error Codes.

#include "migration/model/failure.hpp"

#include <string>
#include <string_view>

namespace sluice::migration {

/// What a server (or the client library, 2000-2999) said.
struct server_message {
    unsigned number = 0;
    std::string_view sqlstate;  ///< may be empty
    std::string_view text;
};

/// The failure of a statement; attempted is shortened to 300 characters.
[[nodiscard]] failure statement_failure(const server_message& said, std::string_view attempted);

/// The failure of connecting and logging in at `address` as `user`.
[[nodiscard]] failure login_failure_of(const server_message& said, std::string_view address, std::string_view user);

/// Whether the connection is of no use after this error.
[[nodiscard]] bool ends_connection(unsigned number) noexcept;

}  // namespace sluice::migration

#pragma once

// TLS as the client library is told about it. Oracle's and MariaDB's libraries differ: MariaDB's has no way to check a
// certificate's authority without its host name, and none to refuse a server without TLS before the login.

#include "migration/model/failure.hpp"
#include "migration/mysql/server_address.hpp"

#include <chrono>
#include <string>

struct st_mysql;

namespace sluice::migration {

/// Makes the connection, not yet connected, use TLS as the address says. `fingerprint` is that of the server's
/// certificate where needs_fingerprint() asks for it.
void set_tls_options(st_mysql* connection, const tls_settings& settings, const std::string& fingerprint);

/// Whether the library can check the server's certificate only by its fingerprint.
[[nodiscard]] bool needs_fingerprint(const tls_settings& settings) noexcept;

/// Logs in by a connection of our own, which checks the certificate as wanted, and tells the certificate's
/// fingerprint. Failures: those of server_connection::open().
[[nodiscard]] outcome<std::string> learn_fingerprint(const server_address& address, std::chrono::seconds limit);

/// Whether a refused login may be the library's fault: with TLS allowed, and a server that has none, MariaDB's library
/// (3.3) takes the plain connection for a safe one, and answers caching_sha2_password's request for the password in a
/// form that the server refuses.
[[nodiscard]] bool may_have_misjudged(const failure& refused, const tls_settings& settings) noexcept;

/// After a login: a connection that is plain where it must not be is refused ("tls_failed", abort).
[[nodiscard]] outcome<void> check_is_secure(st_mysql* connection, const tls_settings& settings);

}  // namespace sluice::migration

#pragma once

// Which capabilities pass through Sluice. A flag that it cannot follow, or that would need a changed transport, is
// taken out of the greeting and out of the client's answer, so that client, Sluice and server always agree.

#include "protocol/message/capabilities.hpp"

namespace sluice::session {

namespace capability = protocol::capability;

/// TLS and compression change the transport. COM_MULTI nests commands. The rest is a client's private business or not
/// defined yet.
inline constexpr protocol::capability_flags removed_capabilities =
    capability::ssl | capability::compress | capability::zstd_compression | capability::capability_extension |
    capability::ssl_verify_server_cert | capability::remember_options | capability::mariadb_com_multi;

/// MariaDB's flags beyond those that are known here might change anything.
inline constexpr protocol::capability_flags known_mariadb_capabilities =
    capability::mariadb_progress | capability::mariadb_stmt_bulk_operations | capability::mariadb_extended_metadata |
    capability::mariadb_cache_metadata | capability::mariadb_bulk_unit_results;

/// Flags that a client may set although the server does not announce them: they say how the client is, and change no
/// packet.
inline constexpr protocol::capability_flags client_only_capabilities =
    capability::found_rows | capability::no_schema | capability::odbc | capability::ignore_space |
    capability::interactive | capability::ignore_sigpipe | capability::reserved;

/// What is told to the client.
[[nodiscard]] constexpr protocol::capability_flags offered_capabilities(protocol::capability_flags server) noexcept {
    return server & ~removed_capabilities & (capability::mysql_mask | known_mariadb_capabilities);
}

/// What is told to the server: the session's capabilities.
[[nodiscard]] constexpr protocol::capability_flags agreed_capabilities(protocol::capability_flags server,
                                                                       protocol::capability_flags client) noexcept {
    return client & (offered_capabilities(server) | client_only_capabilities);
}

}  // namespace sluice::session

#pragma once

// What the control interfaces show of the proxy, and ask of it. The room admin does not know the proxy; an adapter in
// proxy/main does.

#include "admin/refusal.hpp"
#include "protocol/result.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sluice::admin {

struct proxy_status {
    bool accepting = false;                      ///< takes new connections; false while it drains
    std::uint64_t sessions = 0;                  ///< open now, logged in or not
    std::uint64_t sessions_in_login = 0;         ///< of these, not logged in yet
    std::uint64_t sessions_max = 0;              ///< the configured limit
    std::uint64_t sessions_total = 0;            ///< the counters from here on only grow: accepted
    std::uint64_t sessions_refused_total = 0;    ///< turned away by a limit
    std::uint64_t server_unreachable_total = 0;  ///< ended because the server could not be reached
    std::uint64_t logins_failed_total = 0;
    std::uint64_t statements_total = 0;           ///< commands sent on to the server
    std::uint64_t statements_answered_total = 0;  ///< answered by Sluice itself
    std::uint64_t statements_held = 0;            ///< held at closed gates now (does not only grow)
    std::uint64_t statements_held_total = 0;
    std::uint64_t holds_overflowed_total = 0;   ///< let through a closed gate because too much was held already
    std::uint64_t holds_interrupted_total = 0;  ///< killed while they were held
    std::uint64_t snapshots_refused_total = 0;  ///< answered with error 1412
    std::string listen;                         ///< host:port that clients connect to
    std::string server;                         ///< host:port of the server
};

struct session_view {
    std::uint64_t connection_id = 0;  ///< the server's; 0 before its greeting
    std::string user;                 ///< empty before the login
    std::string client;               ///< address:port
    std::string schema;               ///< default schema; empty: none, or not known
    std::string state;                ///< "connecting", "login", "idle", "running", "held", "closing"
    bool in_transaction = false;
    std::uint64_t statements = 0;
    std::chrono::milliseconds age{0};  ///< of the connection
};

/// A certificate that Sluice shows to others.
struct shown_certificate {
    std::string subject;
    std::string issuer;
    std::string not_after;  ///< ISO 8601, UTC
    bool is_self_made = false;
};

struct shown_certificates {
    std::optional<shown_certificate> for_clients;  ///< nullopt: TLS is off, or there is none
    std::optional<shown_certificate> for_server;
};

/// Thread-safe; status() and sessions() may wait briefly for the proxy's threads.
class proxy_view {
public:
    virtual ~proxy_view() = default;
    [[nodiscard]] virtual proxy_status status() const = 0;
    [[nodiscard]] virtual std::vector<session_view> sessions() const = 0;
    /// Reads certificates and keys again, for new connections. The refusal names the file that is no good; nothing has
    /// changed then.
    [[nodiscard]] virtual result<shown_certificates, refusal> reload_tls() = 0;
};

}  // namespace sluice::admin

#pragma once

// What all threads and sessions of one proxy share: its options, its key, its counters, and who answers SHOW
// statements.

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

#include "proxy/net/operator_list.hpp"
#include "proxy/net/proxy_server.hpp"
#include "proxy/net/tls_store.hpp"
#include "proxy/net/trusted_networks.hpp"
#include "proxy/session/session_core.hpp"

namespace sluice::proxy {

/// Totals over all threads; changed once per connection, not per statement.
struct connection_counters {
    std::atomic<std::uint64_t> sessions{0};
    std::atomic<std::uint64_t> sessions_in_login{0};
    std::atomic<std::uint64_t> sessions_total{0};
    std::atomic<std::uint64_t> connections_refused{0};
    std::atomic<std::uint64_t> server_unreachable{0};
    std::atomic<std::uint64_t> logins_failed{0};
};

struct environment {
    proxy_options options;
    trusted_networks header_networks;  ///< of options.proxy_protocol_networks
    tls_store tls;
    session::login_rules login;
    session::relay_rules relay;
    connection_counters counters;
    std::atomic<bool> server_lacks_compression{false};  ///< and has been logged
    operator_list operators;                            ///< of options.operators
    /// Has a statement answered on the answering thread and calls `done` there. may_command: whether the session
    /// belongs to one of the operators.
    std::function<void(sql::show_request request, bool may_command, std::function<void(show_answer)> done)> ask;
};

}  // namespace sluice::proxy

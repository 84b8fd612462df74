#pragma once

// A proxy in this process, in front of real servers that all tests of the executable share (one per kind).

#include "proxy/net/proxy_server.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/mysql_server.hpp"
#include "tests/support/raw_client.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace sluice::test {

using namespace std::chrono_literals;

inline constexpr server_kind every_server[] = {server_kind::mysql_9_7, server_kind::mysql_5_6,
                                               server_kind::mariadb_10_11};

/// Started when first asked for; lives until the process ends.
mysql_server& shared_server(server_kind kind);

/// A proxy in front of the shared server, on a port of its own.
struct proxy_under_test {
    explicit proxy_under_test(server_kind kind = server_kind::mysql_9_7, proxy::proxy_options options = {});

    [[nodiscard]] std::uint16_t port() const { return proxy->port(); }
    /// Logged in through the proxy as `app` (a caching_sha2 account on 9.7) with the schema `test`.
    [[nodiscard]] raw_client client(protocol::capability_flags more = 0, protocol::capability_flags less = 0) const;
    [[nodiscard]] sql_connection connection() const;

    server_kind kind;
    std::unique_ptr<proxy::proxy_server> proxy;
};

/// Drops and creates the table with rows (1, 'one') to (count, ...).
void make_table(server_kind kind, const std::string& table, int rows = 3);

}  // namespace sluice::test

#pragma once

// Real servers for tests; see bench/throwaway/server.hpp for what they are and what accounts they have.

#include "bench/throwaway/server.hpp"
#include "tests/support/sql_connection.hpp"

namespace sluice::test {

using throwaway::app_password;
using throwaway::app_user;
using throwaway::server_error;
using throwaway::server_kind;
using throwaway::server_options;
using throwaway::sluice_password;
using throwaway::sluice_user;

using mysql_server = throwaway::server;

/// A server of this kind with the options' defaults.
[[nodiscard]] inline mysql_server start_server(server_kind kind) {
    server_options options;
    options.kind = kind;
    return mysql_server::start(options);
}

/// root's connection, straight to the server.
[[nodiscard]] inline sql_connection connect(const mysql_server& server, const std::string& schema = "") {
    return sql_connection(server.port(), "root", "", schema);
}

}  // namespace sluice::test

#pragma once

// A throwaway server as the engine's connections see it: over TCP, with the account that scripts give to Sluice.

#include "migration/mysql/server_address.hpp"
#include "tests/support/mysql_server.hpp"

#include <utility>

namespace sluice::test {

[[nodiscard]] inline migration::server_address address_of(const mysql_server& server) {
    migration::server_address address;
    address.host = server.host();
    address.port = server.port();
    address.user = sluice_user;
    address.password = sluice_password;
    return address;
}

[[nodiscard]] inline mysql_server start_server(server_kind kind, std::vector<std::string> extra_arguments) {
    server_options options;
    options.kind = kind;
    options.extra_arguments = std::move(extra_arguments);
    return mysql_server::start(options);
}

}  // namespace sluice::test

#pragma once

// What every sub-command that talks to the admin port has in common.

#include "proxy/main/client/admin_client.hpp"

namespace CLI {
class App;
}

namespace sluice {

/// --url and --token-file, with SLUICE_URL and SLUICE_TOKEN_FILE behind them.
void add_client_options(CLI::App& command, admin_address& address);

/// Says why on standard error and gives the exit code.
int report(const request_failure& failure);

/// For an id that cannot be one.
int report_bad_id(const std::string& id);

}  // namespace sluice

#include "proxy/main/command/client_options.hpp"

#include "proxy/main/exit_codes.hpp"

#include <CLI/CLI.hpp>

#include <iostream>

namespace sluice {

void add_client_options(CLI::App& command, admin_address& address) {
    command.add_option("--url", address.url, "admin port of the running Sluice")
        ->envname("SLUICE_URL")
        ->capture_default_str()
        ->type_name("URL");
    command.add_option("--token-file", address.token_file, "file with the token")
        ->envname("SLUICE_TOKEN_FILE")
        ->type_name("FILE");
}

int report(const request_failure& failure) {
    std::cerr << "sluice: " << failure.message << "\n";
    return failure.exit_code;
}

int report_bad_id(const std::string& id) {
    std::cerr << "sluice: `" << id << "` cannot be the id of a migration (see: sluice list)\n";
    return exit_code::usage;
}

}  // namespace sluice

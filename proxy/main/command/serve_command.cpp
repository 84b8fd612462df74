#include "proxy/main/command/command.hpp"
#include "proxy/main/config.hpp"
#include "proxy/main/exit_codes.hpp"
#include "proxy/main/serve/serve.hpp"

#include <CLI/CLI.hpp>

#include <iostream>
#include <memory>

namespace sluice {
namespace {

struct serve_request {
    std::string config_file;
    bool check_only = false;
};

int run_serve(const serve_request& request) {
    auto loaded = load_config(request.config_file);
    if (loaded.has_error()) {
        for (const config_problem& problem : loaded.error()) std::cerr << "sluice: " << problem.text() << "\n";
        return exit_code::usage;
    }
    if (request.check_only) {
        for (const auto& [key, value] : loaded->settings) std::cout << key << " = " << value << "\n";
        std::cout << request.config_file << ": good\n";
        return exit_code::ok;
    }
    return serve(std::move(loaded).value(), request.config_file);
}

}  // namespace

void register_serve(CLI::App& app, action& chosen) {
    CLI::App* command = app.add_subcommand("serve", "run the proxy and the migration engine");
    auto request = std::make_shared<serve_request>();
    command->add_option("--config", request->config_file, "configuration file (TOML)")->required()->type_name("FILE");
    command->add_flag("--check-config", request->check_only, "check the configuration, show it, and end");
    command->callback([request, &chosen] { chosen = [request] { return run_serve(*request); }; });
}

}  // namespace sluice

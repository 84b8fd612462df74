#include "proxy/main/client/progress_view.hpp"
#include "proxy/main/command/client_options.hpp"
#include "proxy/main/command/command.hpp"
#include "proxy/main/exit_codes.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/serialize.hpp>

#include <iostream>
#include <memory>

namespace sluice {
namespace {

struct show_request {
    admin_address address;
    std::string id;
    bool json = false;
};

int run_show(const show_request& request) {
    const auto path = migration_path(request.id);
    if (!path) return report_bad_id(request.id);
    auto client = admin_client::make(request.address);
    if (client.has_error()) return report(client.error());
    auto answer = (*client)->get(*path);
    if (answer.has_error()) return report(answer.error());
    if (request.json) {
        std::cout << boost::json::serialize(*answer) << "\n";
    } else {
        std::cout << detail_text(*answer);
    }
    return exit_code::ok;
}

}  // namespace

void register_show(CLI::App& app, action& chosen) {
    CLI::App* command = app.add_subcommand("show", "show all about one migration");
    auto request = std::make_shared<show_request>();
    command->add_option("id", request->id, "its id, or the first 4 characters or more")->required()->type_name("");
    command->add_flag("--json", request->json, "print what the HTTP API gives");
    add_client_options(*command, request->address);
    command->callback([request, &chosen] { chosen = [request] { return run_show(*request); }; });
}

}  // namespace sluice

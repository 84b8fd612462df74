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

struct list_request {
    admin_address address;
    bool json = false;
};

int run_list(const list_request& request) {
    auto client = admin_client::make(request.address);
    if (client.has_error()) return report(client.error());
    auto answer = (*client)->get("/v1/migrations");
    if (answer.has_error()) return report(answer.error());
    const boost::json::value* migrations = answer->if_contains("migrations");
    if (migrations == nullptr || !migrations->is_array()) {
        std::cerr << "sluice: the admin port does not answer like Sluice\n";
        return exit_code::failure;
    }
    if (request.json) {
        std::cout << boost::json::serialize(*answer) << "\n";
    } else {
        std::cout << list_text(migrations->get_array());
    }
    return exit_code::ok;
}

}  // namespace

void register_list(CLI::App& app, action& chosen) {
    CLI::App* command = app.add_subcommand("list", "list migrations, newest first");
    auto request = std::make_shared<list_request>();
    command->add_flag("--json", request->json, "print what the HTTP API gives");
    add_client_options(*command, request->address);
    command->callback([request, &chosen] { chosen = [request] { return run_list(*request); }; });
}

}  // namespace sluice

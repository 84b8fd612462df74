#include "proxy/main/client/watch.hpp"
#include "proxy/main/command/client_options.hpp"
#include "proxy/main/command/command.hpp"

#include <CLI/CLI.hpp>

#include <memory>

namespace sluice {
namespace {

struct watch_request {
    admin_address address;
    std::string id;
};

int run_watch(const watch_request& request) {
    if (!migration_path(request.id)) return report_bad_id(request.id);
    auto client = admin_client::make(request.address);
    if (client.has_error()) return report(client.error());
    return watch_migration(**client, request.id);
}

}  // namespace

void register_watch(CLI::App& app, action& chosen) {
    CLI::App* command = app.add_subcommand("watch", "follow a migration until it ends");
    auto request = std::make_shared<watch_request>();
    command->add_option("id", request->id, "its id, or the first 4 characters or more")->required()->type_name("");
    add_client_options(*command, request->address);
    command->callback([request, &chosen] { chosen = [request] { return run_watch(*request); }; });
}

}  // namespace sluice

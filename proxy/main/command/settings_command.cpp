#include "proxy/main/client/progress_view.hpp"
#include "proxy/main/command/client_options.hpp"
#include "proxy/main/command/command.hpp"
#include "proxy/main/command/option_arguments.hpp"
#include "proxy/main/exit_codes.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/serialize.hpp>

#include <iostream>
#include <memory>

namespace sluice {
namespace {

struct settings_request {
    admin_address address;
    std::string id;
    option_arguments options;
};

int run_settings(const settings_request& request) {
    const auto path = migration_path(request.id, "settings");
    if (!path) return report_bad_id(request.id);
    auto client = admin_client::make(request.address);
    if (client.has_error()) return report(client.error());
    auto answer = (*client)->post(*path, boost::json::serialize(request.options.to_json()));
    if (answer.has_error()) return report(answer.error());
    if (const auto progress = read_progress(*answer))
        std::cout << progress->id << ": " << plain_line(*progress) << "\n";
    return exit_code::ok;
}

}  // namespace

void register_settings(CLI::App& app, action& chosen) {
    CLI::App* command = app.add_subcommand("settings", "change options of a running migration");
    auto request = std::make_shared<settings_request>();
    command->add_option("id", request->id, "its id, or the first 4 characters or more")->required()->type_name("");
    add_client_options(*command, request->address);
    for (const migration::option_field& field : migration::option_fields()) {
        if (field.while_running) add_option_argument(*command, request->options, field, "Options that can be changed");
    }
    command->callback([request, &chosen] { chosen = [request] { return run_settings(*request); }; });
}

}  // namespace sluice

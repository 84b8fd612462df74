#include "proxy/main/client/progress_view.hpp"
#include "proxy/main/command/client_options.hpp"
#include "proxy/main/command/command.hpp"
#include "proxy/main/exit_codes.hpp"

#include <CLI/CLI.hpp>

#include <array>
#include <iostream>
#include <memory>

namespace sluice {
namespace {

struct operator_request {
    admin_address address;
    std::string id;
};

struct named_command {
    const char* name;
    const char* help;
};

constexpr std::array commands{
    named_command{"cut-over", "end a postponement, by option, command or flag file: cut over at the next good moment"},
    named_command{"postpone", "keep copying and applying, but wait with the cut-over"},
    named_command{"pause", "stop copying"},
    named_command{"resume", "go on after pause"},
    named_command{"abort", "end the migration; the table stays as it was (while reverting: call the revert off)"},
    named_command{"revert", "give the old table that was kept in sync its name back, with the writes made since"},
    named_command{"finish", "let the old table go that was kept in sync; the migration is completed"},
};

int run_command(const operator_request& request, const std::string& name) {
    const auto path = migration_path(request.id, name);
    if (!path) return report_bad_id(request.id);
    auto client = admin_client::make(request.address);
    if (client.has_error()) return report(client.error());
    auto answer = (*client)->post(*path, {});
    if (answer.has_error()) return report(answer.error());
    if (const auto progress = read_progress(*answer))
        std::cout << progress->id << ": " << plain_line(*progress) << "\n";
    return exit_code::ok;
}

}  // namespace

void register_operator_commands(CLI::App& app, action& chosen) {
    for (const named_command& known : commands) {
        CLI::App* command = app.add_subcommand(known.name, known.help);
        auto request = std::make_shared<operator_request>();
        command->add_option("id", request->id, "id of the migration, or its first 4 characters or more")
            ->required()
            ->type_name("");
        add_client_options(*command, request->address);
        const std::string name = known.name;
        command->callback(
            [request, name, &chosen] { chosen = [request, name] { return run_command(*request, name); }; });
    }
}

}  // namespace sluice

#include "migration/model/option_fields.hpp"
#include "proxy/main/client/plan_text.hpp"
#include "proxy/main/client/watch.hpp"
#include "proxy/main/command/client_options.hpp"
#include "proxy/main/command/command.hpp"
#include "proxy/main/command/option_arguments.hpp"
#include "proxy/main/exit_codes.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/serialize.hpp>

#include <chrono>
#include <iostream>
#include <memory>
#include <string>

namespace sluice {
namespace {

struct migrate_request {
    admin_address address;
    std::string schema;
    std::string table;
    std::string alter;
    bool wait = false;
    bool dry_run = false;
    bool json = false;
    option_arguments options;
};

// Trials, checks and a sample take seconds, and each may wait for a lock of the server.
constexpr std::chrono::minutes dry_run_patience{5};

int run_dry(admin_client& client, boost::json::object body, bool as_json) {
    body["dry_run"] = true;
    const auto plan = client.post("/v1/migrations", boost::json::serialize(body), dry_run_patience);
    if (plan.has_error()) return report(plan.error());
    if (plan->if_contains("ways") == nullptr) {
        std::cerr << "sluice: the admin port does not answer like Sluice\n";
        return exit_code::failure;
    }
    std::cout << (as_json ? boost::json::serialize(*plan) + "\n" : plan_text(*plan));
    return exit_code::ok;
}

int run_migrate(const migrate_request& request) {
    auto client = admin_client::make(request.address);
    if (client.has_error()) return report(client.error());
    boost::json::object options = request.options.to_json();
    boost::json::object body{{"schema", request.schema}, {"table", request.table}, {"alter", request.alter}};
    if (!options.empty()) body["options"] = std::move(options);
    if (request.dry_run) return run_dry(**client, std::move(body), request.json);
    auto created = (*client)->post("/v1/migrations", boost::json::serialize(body));
    if (created.has_error()) return report(created.error());
    const boost::json::value* id = created->if_contains("id");
    if (id == nullptr || !id->is_string()) {
        std::cerr << "sluice: the admin port does not answer like Sluice\n";
        return exit_code::failure;
    }
    const std::string name(id->get_string());
    std::cout << "migration " << name << " of " << request.schema << "." << request.table << std::endl;
    return request.wait ? watch_migration(**client, name) : exit_code::ok;
}

}  // namespace

void register_migrate(CLI::App& app, action& chosen) {
    CLI::App* command = app.add_subcommand("migrate", "begin a migration");
    auto request = std::make_shared<migrate_request>();
    command->add_option("--schema", request->schema, "schema of the table")->required()->type_name("NAME");
    command->add_option("--table", request->table, "table to change")->required()->type_name("NAME");
    command->add_option("--alter", request->alter, "what stands behind ALTER TABLE t, or the whole statement")
        ->required()
        ->type_name("TEXT");
    CLI::Option* wait = command->add_flag("--wait", request->wait, "watch it until it ends");
    CLI::Option* dry_run =
        command->add_flag("--dry-run", request->dry_run, "do every check, print how it would go, and change nothing");
    dry_run->excludes(wait);
    command->add_flag("--json", request->json, "with --dry-run: print what the HTTP API gives")->needs(dry_run);
    add_client_options(*command, request->address);
    for (const migration::option_field& field : migration::option_fields()) {
        add_option_argument(*command, request->options, field,
                            "Options of the migration (left out: as Sluice is configured)");
    }
    command->callback([request, &chosen] { chosen = [request] { return run_migrate(*request); }; });
}

}  // namespace sluice

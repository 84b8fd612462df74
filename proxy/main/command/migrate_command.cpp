#include "migration/model/option_fields.hpp"
#include "proxy/main/client/watch.hpp"
#include "proxy/main/command/client_options.hpp"
#include "proxy/main/command/command.hpp"
#include "proxy/main/exit_codes.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <iostream>
#include <map>

namespace sluice {
namespace {

struct migrate_request {
    admin_address address;
    std::string schema;
    std::string table;
    std::string alter;
    bool wait = false;
    std::map<std::string, std::int64_t> numbers;  ///< by the option's public name; only what was typed is sent
    std::map<std::string, bool> flags;
};

int run_migrate(const migrate_request& request, const std::vector<std::string>& typed) {
    auto client = admin_client::make(request.address);
    if (client.has_error()) return report(client.error());
    boost::json::object options;
    for (const std::string& name : typed) {
        const auto flag = request.flags.find(name);
        if (flag != request.flags.end()) {
            options[name] = flag->second;
        } else {
            options[name] = request.numbers.at(name);
        }
    }
    boost::json::object body{{"schema", request.schema}, {"table", request.table}, {"alter", request.alter}};
    if (!options.empty()) body["options"] = std::move(options);
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

/// chunk_time_target_ms becomes --chunk-time-target-ms; a flag X also gets --no-X.
std::string option_name(std::string_view field) {
    std::string name(field);
    std::replace(name.begin(), name.end(), '_', '-');
    return "--" + name;
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
    command->add_flag("--wait", request->wait, "watch it until it ends");
    add_client_options(*command, request->address);
    std::vector<std::pair<std::string, CLI::Option*>> added;
    const migration::migration_options defaults;
    for (const migration::option_field& field : migration::option_fields()) {
        const std::string name(field.name);
        const std::string dashed = option_name(field.name);
        CLI::Option* option = nullptr;
        if (field.is_flag) {
            option = command->add_flag(dashed + ",!--no-" + dashed.substr(2), request->flags[name], std::string(field.help));
        } else {
            option = command->add_option(dashed, request->numbers[name], std::string(field.help))
                         ->check(CLI::Range(static_cast<double>(field.min), static_cast<double>(field.max)))
                         ->type_name("N");
        }
        option->group("Options of the migration (left out: as Sluice is configured)");
        added.emplace_back(name, option);
    }
    command->callback([request, added, &chosen] {
        std::vector<std::string> typed;
        for (const auto& [name, option] : added) {
            if (option->count() > 0) typed.push_back(name);
        }
        chosen = [request, typed] { return run_migrate(*request, typed); };
    });
}

}  // namespace sluice

#include "proxy/main/command/command.hpp"
#include "proxy/main/demo/demo.hpp"

#include <CLI/CLI.hpp>

#include <memory>

namespace sluice {

void register_demo(CLI::App& app, action& chosen) {
    CLI::App* command = app.add_subcommand("demo", "migrate a table of a throwaway MySQL under load, and report");
    auto options = std::make_shared<demo_options>();
    command->add_option("--rows", options->rows, "rows of the table")
        ->check(CLI::Range(1'000, 10'000'000))
        ->type_name("N");
    command->add_option("--connections", options->connections, "connections of the load")
        ->check(CLI::Range(1, 256))
        ->type_name("N");
    command
        ->add_option("--rate", options->statements_per_second, "statements per second of all connections; 0: no limit")
        ->check(CLI::Range(0.0, 1e6))
        ->type_name("N");
    command->add_option("--before-s", options->before_s, "seconds of load before the migration, and after it")
        ->check(CLI::Range(1, 600))
        ->type_name("S");
    command->callback([options, &chosen] { chosen = [options] { return run_demo(*options); }; });
}

}  // namespace sluice

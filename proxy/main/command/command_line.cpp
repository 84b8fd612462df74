#include "proxy/main/command/command_line.hpp"

#include "protocol/result.hpp"
#include "proxy/main/command/command.hpp"
#include "proxy/main/exit_codes.hpp"
#include "proxy/main/ghost/ghost_main.hpp"
#include "proxy/main/version.hpp"

#include <CLI/CLI.hpp>

#include <exception>
#include <iostream>
#include <string_view>
#include <vector>

namespace sluice {
namespace {

constexpr const char* footer =
    "Exit codes: 0 done; 1 failed; 2 wrong command line or configuration; 3 admin port out of reach;\n"
    "4 the migration waited for has failed or was aborted.";

constexpr const char* ghost_word = "gh-ost";

int parse_and_run(int argc, const char* const* argv) {
    CLI::App app("Sluice: a MySQL proxy that changes tables while traffic passes through it.", "sluice");
    app.set_version_flag("--version", "sluice " + std::string(version()));
    app.require_subcommand(1);
    app.footer(footer);
    action chosen;
    register_serve(app, chosen);
    register_migrate(app, chosen);
    register_list(app, chosen);
    register_show(app, chosen);
    register_watch(app, chosen);
    register_settings(app, chosen);
    register_operator_commands(app, chosen);
    register_demo(app, chosen);
    // Its flags have rules of their own; here it only has its line in --help.
    app.add_subcommand(ghost_word, "take gh-ost's own flags (sluice gh-ost --help)");
    if (argc > 1 && std::string_view(argv[1]) == ghost_word) {
        const std::vector<std::string> words(argv + 2, argv + argc);
        return ghost::run_ghost(words);
    }
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& wanted) {
        return app.exit(wanted) == 0 ? exit_code::ok : exit_code::failure;  // --help, --version
    } catch (const CLI::ParseError& wrong) {
        std::cerr << "sluice: " << wrong.what() << " (see: sluice --help)\n";
        return exit_code::usage;
    }
    SLUICE_ASSERT(chosen);
    return chosen();
}

}  // namespace

int run_command_line(int argc, const char* const* argv) noexcept {
    try {
        return parse_and_run(argc, argv);
    } catch (const std::exception& e) {
        std::cerr << "sluice: " << e.what() << "\n";
    }
    return exit_code::failure;
}

}  // namespace sluice

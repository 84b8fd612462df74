#pragma once

// The sub-commands of `sluice`, each in a file of its own. A registration adds the sub-command and its options to the
// command line; when the sub-command is the one that was typed, it leaves what is to be done in `chosen`.

#include <functional>

namespace CLI {
class App;
}

namespace sluice {

/// Does the sub-command's work and gives the exit code (exit_codes.hpp).
using action = std::function<int()>;

void register_serve(CLI::App& app, action& chosen);
void register_migrate(CLI::App& app, action& chosen);
void register_list(CLI::App& app, action& chosen);
void register_show(CLI::App& app, action& chosen);
void register_watch(CLI::App& app, action& chosen);
void register_settings(CLI::App& app, action& chosen);
/// cut-over, postpone, pause, resume, abort.
void register_operator_commands(CLI::App& app, action& chosen);
void register_demo(CLI::App& app, action& chosen);

}  // namespace sluice

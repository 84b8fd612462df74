#pragma once

// gh-ost's interactive commands: one line in, its answer out. Pure; what a command does is the run's.

#include "migration/model/option_fields.hpp"
#include "protocol/result.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace sluice::ghost {

/// Why a command was not obeyed.
struct command_refusal {
    explicit command_refusal(std::string why) : text(std::move(why)) {}
    std::string text;  ///< without a line end
};

/// A run as the commands see it. Called by one thread at a time.
class commanded_run {
public:
    virtual ~commanded_run() = default;

    [[nodiscard]] virtual const std::string& table() const = 0;
    [[nodiscard]] virtual std::string status_line() = 0;
    /// The lines about what is done and with what settings, each with its end.
    [[nodiscard]] virtual std::string status_hint() = 0;
    [[nodiscard]] virtual std::string coordinates() = 0;
    /// "host:port, Version: 9.7.0" of the server that is written to, and of the one that is read.
    [[nodiscard]] virtual std::string applier() = 0;
    [[nodiscard]] virtual std::string inspector() = 0;

    [[nodiscard]] virtual migration::migration_options options() = 0;
    virtual result<void, command_refusal> change(const migration::option_changes& changes) = 0;
    virtual result<void, command_refusal> throttle(bool on) = 0;
    [[nodiscard]] virtual bool is_postponing() = 0;
    virtual result<void, command_refusal> unpostpone() = 0;
    /// Makes the file where it is missing, and waits for it to go.
    virtual result<void, command_refusal> postpone_by(const std::string& flag_file) = 0;
    /// Ends the run, soon, and leaves its tables.
    virtual void panic(const std::string& why) = 0;
    /// The hook of interactive commands; an error refuses the command.
    virtual result<void, command_refusal> run_hook(const std::string& command) = 0;
};

struct command_rules {
    bool name_for_cutover = false;  ///< --force-named-cut-over
    bool name_for_panic = false;    ///< --force-named-panic
};

/// line: without its end. The answer ends with a line end, if it is not empty.
[[nodiscard]] std::string answer_command(std::string_view line, commanded_run& run, const command_rules& rules);

}  // namespace sluice::ghost

#pragma once

// The work done by a running Sluice, which is told by its admin port: there the cut-over holds clients at a gate.

#include "proxy/main/client/admin_client.hpp"
#include "proxy/main/ghost/ghost_run.hpp"

#include <memory>

namespace sluice::ghost {

class via_run final : public ghost_run {
public:
    via_run(const ghost_settings& settings, std::unique_ptr<admin_client> client)
        : ghost_run(settings), client_(std::move(client)) {}

    /// What --execute would do, as text. The error has the exit code's message.
    [[nodiscard]] reply<std::string> plan();

    result<void, command_refusal> begin() override;
    [[nodiscard]] result<run_view, command_refusal> look() override;
    result<void, command_refusal> cut_over() override { return command("cut-over"); }
    result<void, command_refusal> pause(bool on) override { return command(on ? "pause" : "resume"); }
    /// A Sluice that serves takes its tables away again.
    void leave() override;
    [[nodiscard]] migration::migration_options options() override { return options_; }
    result<void, command_refusal> change(const migration::option_changes& changes) override;
    [[nodiscard]] std::string applier() override { return "the primary of " + settings().via; }
    [[nodiscard]] std::string inspector() override { return applier(); }

private:
    [[nodiscard]] boost::json::object request() const;
    result<void, command_refusal> command(const std::string& name);

    std::unique_ptr<admin_client> client_;
    std::string id_;
    migration::migration_options options_;
};

}  // namespace sluice::ghost

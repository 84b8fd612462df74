#pragma once

// The work done by a running Sluice, which is told by its admin port: there the cut-over holds clients at a gate.
//
// Flag files are files of the machine of this process, which that Sluice may not see: they are watched here, at each
// look, and it is told by `postpone`, `pause` and `resume`. So it stays postponed or paused if this process dies.

#include "proxy/main/client/admin_client.hpp"
#include "proxy/main/ghost/ghost_run.hpp"

#include <chrono>
#include <memory>

namespace sluice::ghost {

class via_run final : public ghost_run {
public:
    /// abort_patience: for how long leave() tries again.
    via_run(const ghost_settings& settings, std::unique_ptr<admin_client> client,
            std::chrono::milliseconds abort_patience = contact_patience);

    /// What --execute would do, as text. The error has the exit code's message.
    [[nodiscard]] reply<std::string> plan();

    /// The file of --postpone-cut-over-flag-file must have been made.
    result<void, command_refusal> begin() override;
    [[nodiscard]] result<run_view, command_refusal> look() override;
    result<void, command_refusal> cut_over() override;
    result<void, command_refusal> pause(bool on) override;
    /// A Sluice that serves takes its tables away again. Takes lock().
    result<void, command_refusal> leave() override;
    /// As that Sluice has them, but for the flag files.
    [[nodiscard]] migration::migration_options options() override { return options_; }
    result<void, command_refusal> change(const migration::option_changes& changes) override;
    result<void, command_refusal> postpone_by(const std::string& flag_file) override;
    [[nodiscard]] std::string applier() override { return "the primary of " + settings().via; }
    [[nodiscard]] std::string inspector() override { return applier(); }

private:
    /// Something that is said when it changes, and again while the saying fails.
    struct told {
        bool now = false;
        bool known = true;  ///< what that Sluice was told last is `now`
    };

    /// patience: longest wait for the answer; none: the client's own.
    result<void, command_refusal> command(const std::string& name, std::chrono::seconds patience = {});
    result<void, command_refusal> send(const migration::option_changes& changes);
    result<run_view, command_refusal> show();
    result<void, command_refusal> tell_whether_postponed();
    result<void, command_refusal> tell_whether_paused();
    [[nodiscard]] bool throttled_by_file() const;
    [[nodiscard]] std::string named() const;  ///< "migration 0123 at http://…"

    const std::chrono::milliseconds abort_patience_;
    std::unique_ptr<admin_client> client_;
    std::string id_;
    migration::migration_options options_;
    bool postponed_for_hooks_;
    bool file_overruled_ = false;  ///< by `unpostpone`
    bool paused_by_command_ = false;
    told postponed_;
    told paused_;
};

}  // namespace sluice::ghost

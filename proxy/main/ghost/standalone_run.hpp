#pragma once

// The work done by an engine in this process, without a proxy: the cut-over holds nobody at a gate, clients queue up in
// the server for the time of the lock.

#include "migration/engine/migration_service.hpp"
#include "migration/mysql/mysql_executor.hpp"
#include "proxy/main/ghost/ghost_run.hpp"
#include "proxy/main/ghost/replica_modes.hpp"

#include <atomic>
#include <memory>
#include <thread>

namespace sluice::ghost {

/// For a --revert that was given no ALTER, as gh-ost's line has none: the one of the migration that is taken back.
[[nodiscard]] result<void, std::string> take_alter_of_checkpoint(ghost_settings& settings, const work_place& place);

class standalone_run final : public ghost_run {
public:
    /// settings: as they are after find_work_place().
    standalone_run(const ghost_settings& settings, const work_place& place);
    ~standalone_run() override;

    /// Every check, and how it would go; nothing is changed.
    [[nodiscard]] migration::outcome<migration::alter_forecast> dry_run();

    /// The same for a run that goes on from a checkpoint, or takes a migration back: what it has to go by, as text.
    [[nodiscard]] migration::outcome<std::string> foresee();

    result<void, command_refusal> begin() override;
    [[nodiscard]] result<run_view, command_refusal> look() override;
    result<void, command_refusal> cut_over() override;
    result<void, command_refusal> pause(bool on) override;
    result<void, command_refusal> leave() override;
    [[nodiscard]] migration::migration_options options() override;
    result<void, command_refusal> change(const migration::option_changes& changes) override;
    [[nodiscard]] std::string applier() override;
    [[nodiscard]] std::string inspector() override;

    /// Counts the rows in a thread of its own: whoever follows the run must not wait for that. beside: the copy goes on
    /// meanwhile. Ended before a cut-over, which would wait for the count.
    void begin_count(bool beside);
    void end_count();
    [[nodiscard]] bool count_ended() const { return count_ended_; }  ///< with a number or without
    [[nodiscard]] bool counted() const { return counted_; }

private:
    [[nodiscard]] migration::service_options engine_options();
    void count();

    const work_place place_;
    std::shared_ptr<migration::mysql_executor> sql_;
    std::unique_ptr<migration::migration_service> engine_;
    std::string id_;
    std::thread counting_;
    std::atomic<std::uint64_t> counting_connection_{0};
    std::atomic<bool> stop_counting_{false};
    std::atomic<bool> count_ended_{false};
    std::atomic<bool> counted_{false};
};

}  // namespace sluice::ghost

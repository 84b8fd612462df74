#pragma once

// The work done by an engine in this process, without a proxy: the cut-over holds nobody at a gate, clients queue up in
// the server for the time of the lock.

#include "migration/engine/migration_service.hpp"
#include "migration/mysql/mysql_executor.hpp"
#include "proxy/main/ghost/ghost_run.hpp"

#include <atomic>
#include <memory>
#include <thread>

namespace sluice::ghost {

/// Where the run works, found out by asking: the server of --host, or the master behind it.
struct work_place {
    migration::server_address master;
    std::string version;            ///< of the master
    std::string inspected_version;  ///< of the server of --host
    bool inspected_is_replica = false;
};

/// Follows replication up from --host. The error is gh-ost's where the run may not work on the master.
[[nodiscard]] result<work_place, std::string> find_work_place(const ghost_settings& settings);

class standalone_run final : public ghost_run {
public:
    /// settings: as they are after find_work_place().
    standalone_run(const ghost_settings& settings, const work_place& place);
    ~standalone_run() override;

    /// Every check, and how it would go; nothing is changed.
    [[nodiscard]] migration::outcome<migration::alter_forecast> dry_run();

    result<void, command_refusal> begin() override;
    [[nodiscard]] result<run_view, command_refusal> look() override;
    result<void, command_refusal> cut_over() override;
    result<void, command_refusal> pause(bool on) override;
    void leave() override;
    [[nodiscard]] migration::migration_options options() override;
    result<void, command_refusal> change(const migration::option_changes& changes) override;
    [[nodiscard]] std::string applier() override;
    [[nodiscard]] std::string inspector() override;

    /// Counts the rows, in a thread of its own or here. Its connection is ended before a cut-over, since it would wait
    /// for the count.
    void count_rows(bool beside);
    void end_count();
    [[nodiscard]] bool count_ended() const { return count_ended_; }

private:
    void count();

    const work_place place_;
    std::shared_ptr<migration::mysql_executor> sql_;
    std::unique_ptr<migration::migration_service> engine_;
    std::string id_;
    std::thread counting_;
    std::atomic<std::uint64_t> counting_connection_{0};
    std::atomic<bool> count_ended_{false};
};

}  // namespace sluice::ghost

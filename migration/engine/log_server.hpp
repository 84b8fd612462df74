#pragma once

// The replica whose binary log tells a migration of the changes that are made on its master. Nothing is written there.
// What it is asked while the migration runs: whether it still hands on every change, and whether its log is still the
// one that it was. Used by the coordinator thread.

#include "migration/check/checks.hpp"
#include "migration/engine/stream_guard.hpp"
#include "migration/ledger/work_ledger.hpp"
#include "migration/model/migration_plan.hpp"
#include "migration/ports/sql_executor.hpp"

#include <memory>
#include <optional>
#include <string>

namespace sluice::migration {

class log_server {
public:
    /// Must outlive it: executor, of the replica.
    explicit log_server(sql_executor& executor) : executor_(executor) {}

    /// Connects, and looks whether it will do: the codes of check_log_server(). master: as the checks found it.
    outcome<void> begin(const migration_spec& spec, const server_facts& master);
    /// The end of its log.
    outcome<stream_position> position(const migration_plan& plan);
    /// @@server_uuid; empty where the server has none.
    outcome<std::string> uuid();
    /// Whether the row of this marker has reached it.
    outcome<bool> has_marker(const migration_plan& plan, std::uint64_t marker);
    /// Looks again, now and then: a failure where its log cannot be trusted any more ("binlog_reset", and the codes of
    /// check_passes_on()). That it cannot be reached is the stream's to say.
    outcome<void> look(const migration_spec& spec, const migration_plan& plan, steady_time now);
    /// That its replication does not run, and why; empty: it does, or cannot be asked.
    std::string standstill();

private:
    outcome<query_result> run(std::string_view sql);

    sql_executor& executor_;
    std::unique_ptr<sql_session> session_;
    family_ptr family_;
    stream_guard guard_;
    steady_time looked_{};
};

}  // namespace sluice::migration

#pragma once

// The end of the server's binary log, as a place in the stream.

#include "migration/ledger/work_ledger.hpp"
#include "migration/model/migration_plan.hpp"
#include "migration/ports/reconnecting_session.hpp"

#include <functional>
#include <string_view>

namespace sluice::migration {

/// How to run a statement: on a plain or on a reconnecting session.
using statement_runner = std::function<outcome<query_result>(std::string_view sql)>;

/// Where the plan follows GTIDs: gtid_executed, which holds a transaction only once it is visible. Else file and
/// position of the log's end, which may run ahead of visibility.
outcome<stream_position> read_server_position(const statement_runner& run, const migration_plan& plan);
outcome<stream_position> read_server_position(reconnecting_session& session, const migration_plan& plan);

/// The place that the stream must reach so that everything committed before this call has been read. The same, but
/// where the stream is of another server and only markers tell (plan.markers): then one is written, so the session must
/// hold no LOCK TABLES without the changelog.
outcome<stream_position> read_place_to_reach(const statement_runner& run, const migration_plan& plan);
outcome<stream_position> read_place_to_reach(reconnecting_session& session, const migration_plan& plan);

}  // namespace sluice::migration

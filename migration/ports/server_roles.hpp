#pragma once

// Which server is what to a migration that does not simply work on a primary and read that primary's log: one that is
// told of the changes by a replica, or one that alters the table on a replica alone.

#include "migration/ports/sql_executor.hpp"

#include <memory>

namespace sluice::migration {

/// The replication of the server that the engine works on. Called by the coordinator; may block for seconds.
class replication_switch {
public:
    virtual ~replication_switch() = default;
    /// Before an attempt to cut over. On success nothing of the source's reaches the tables any more.
    virtual outcome<void> stop() = 0;
    /// After an attempt that was given up.
    virtual outcome<void> start() = 0;
};

struct server_roles {
    /// The replica whose binary log the change_feed_source reads; null: it reads that of the server that is worked on.
    /// No statement of ours changes anything there.
    std::shared_ptr<sql_executor> log_server;
    /// The server that is worked on is a replica, and read_only there is no obstacle.
    bool works_on_replica = false;
    /// Not null: a trial. Replication stands still from before the swap on, and the tables are swapped back: the table
    /// stays as it was, and the ghost stays beside it.
    std::shared_ptr<replication_switch> replication;
};

}  // namespace sluice::migration

#pragma once

// What a server says of its replication: SHOW REPLICA STATUS, by whatever name and with whatever columns the server has
// them.

#include "migration/model/failure.hpp"
#include "migration/model/table_description.hpp"
#include "migration/ports/sql_executor.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sluice::migration {

/// One channel: on MariaDB, one connection.
struct replica_status {
    std::string channel;  ///< empty: the one without a name
    std::string source_host;
    std::uint16_t source_port = 0;
    std::string source_uuid;                     ///< empty until it was reached, and on MariaDB
    std::string receiver;                        ///< "Yes", "No", "Connecting"
    std::string applier;                         ///< "Yes", "No"
    std::string error;                           ///< of either; empty: none
    std::chrono::seconds delay{0};               ///< that it keeps on purpose
    std::optional<std::chrono::seconds> behind;  ///< its source, by its own account; nullopt while it does not run
    // As they stand there, comma-separated.
    std::string do_schemas;
    std::string ignored_schemas;
    std::string do_tables;
    std::string ignored_tables;
    std::string wild_do_tables;
    std::string wild_ignored_tables;
    std::string rewritten_schemas;
    std::string domains;  ///< MariaDB: filtered by their GTID domain

    [[nodiscard]] bool runs() const { return receiver == "Yes" && applier == "Yes"; }
};

/// Channels without a source (RESET REPLICA without ALL) are left out; empty for a server that is no replica.
/// Error 1227 where the account may not ask: on MariaDB that takes REPLICA MONITOR.
[[nodiscard]] outcome<std::vector<replica_status>> read_replica_status(sql_session& session);

/// Whether the filters let every change of tables of this schema pass whose names begin as these do; if not, the
/// filter's name and value.
[[nodiscard]] std::optional<std::string> filter_against(const replica_status& channel, const std::string& schema,
                                                        const std::vector<std::string>& tables);

}  // namespace sluice::migration

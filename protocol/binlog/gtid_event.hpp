#pragma once

// GTID_LOG_EVENT (33) and GTID_TAGGED_LOG_EVENT (42): begin a transaction and name it. The tagged form is a message of
// the server's serialization library: numbered fields with variable-length integers (WL#15294, MySQL 8.3+).

#include "protocol/binlog/gtid.hpp"

namespace sluice::binlog {

/// What GTID and anonymous GTID events say beside the GTID. Fields that an older server does not send are 0.
struct transaction_facts {
    bool may_have_statement_changes = false;  ///< gtid flag 1: the transaction may hold statement-based changes
    std::int64_t last_committed = 0;          ///< logical clock of parallel appliers
    std::int64_t sequence_number = 0;
    std::uint64_t immediate_commit_us = 0;  ///< Unix time of the commit on this server
    std::uint64_t original_commit_us = 0;
    std::uint64_t transaction_size = 0;          ///< bytes of all its events, this one included
    std::uint32_t immediate_server_version = 0;  ///< 90700
    std::uint32_t original_server_version = 0;
};

struct gtid_event {
    gtid id;
    transaction_facts facts;

    [[nodiscard]] static decode_result<gtid_event> decode(byte_view body);
    [[nodiscard]] static decode_result<gtid_event> decode_tagged(byte_view body);
};

/// What GTID_LOG_EVENT and ANONYMOUS_GTID_LOG_EVENT have in common; `server` and `number` are zeros in the latter.
struct gtid_event_fields {
    uuid server;
    std::uint64_t number = 0;
    transaction_facts facts;

    [[nodiscard]] static decode_result<gtid_event_fields> decode(byte_view body);
};

}  // namespace sluice::binlog

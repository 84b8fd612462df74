#pragma once

// MariaDB's GTID_EVENT (162): begins every transaction in its log. Source: MariaDB knowledge base, "GTID_EVENT".

#include "protocol/binlog/event_header.hpp"
#include "protocol/binlog/gtid.hpp"

namespace sluice::binlog {

namespace mariadb_gtid_flag {
inline constexpr std::uint8_t standalone = 0x01;  ///< one event without BEGIN and COMMIT around it (DDL)
inline constexpr std::uint8_t has_group_commit_id = 0x02;
inline constexpr std::uint8_t transactional = 0x04;
inline constexpr std::uint8_t allow_parallel = 0x08;
inline constexpr std::uint8_t waited = 0x10;
inline constexpr std::uint8_t ddl = 0x20;
inline constexpr std::uint8_t prepared_xa = 0x40;   ///< ends with an XA PREPARE
inline constexpr std::uint8_t completed_xa = 0x80;  ///< ends a prepared XA transaction
}  // namespace mariadb_gtid_flag

struct mariadb_gtid_event {
    mariadb_gtid id;
    std::uint8_t flags = 0;
    std::uint64_t group_commit_id = 0;  ///< 0 without has_group_commit_id

    [[nodiscard]] bool has_flag(std::uint8_t flag) const noexcept { return (flags & flag) != 0; }

    /// The server id of the GTID is that of the event's header.
    [[nodiscard]] static decode_result<mariadb_gtid_event> decode(const event_header& header, byte_view body);
};

}  // namespace sluice::binlog

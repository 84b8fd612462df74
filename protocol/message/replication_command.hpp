#pragma once

// What a replica sends: COM_REGISTER_SLAVE, COM_BINLOG_DUMP, COM_BINLOG_DUMP_GTID. Manual: "Replication Protocol";
// WL#3584 and WL#4677 for the GTID form.

#include "protocol/wire/bytes.hpp"
#include "protocol/wire/error.hpp"

#include <string>
#include <vector>

namespace sluice::protocol {

struct register_slave {
    std::uint32_t server_id = 0;
    std::string host;  ///< shown by SHOW REPLICAS; at most 255 bytes, as user and password
    std::string user;
    std::string password;
    std::uint16_t port = 0;
};
[[nodiscard]] wire_result<register_slave> parse_register_slave(byte_view payload);
void serialise(byte_buffer& out, const register_slave& registration);

/// Flags of both dump commands.
inline constexpr std::uint16_t binlog_dump_non_block = 0x01;    ///< EOF at the end instead of waiting
inline constexpr std::uint16_t binlog_through_position = 0x02;  ///< GTID form: position is used
inline constexpr std::uint16_t binlog_through_gtid = 0x04;      ///< GTID form: the set is used

struct binlog_dump {
    std::uint32_t position = 4;  ///< bytes; 4 is the first event of a file
    std::uint16_t flags = 0;
    std::uint32_t server_id = 0;
    std::string file;  ///< empty: the oldest file that the server has
};
[[nodiscard]] wire_result<binlog_dump> parse_binlog_dump(byte_view payload);
void serialise(byte_buffer& out, const binlog_dump& dump);

struct binlog_dump_gtid {
    std::uint16_t flags = binlog_through_gtid;
    std::uint32_t server_id = 0;
    std::string file;            ///< usually empty
    std::uint64_t position = 4;  ///< bytes
    /// The set of transactions that are not wanted, in the server's binary encoding (that of PREVIOUS_GTIDS_LOG_EVENT).
    byte_buffer gtid_set;
};
[[nodiscard]] wire_result<binlog_dump_gtid> parse_binlog_dump_gtid(byte_view payload);
void serialise(byte_buffer& out, const binlog_dump_gtid& dump);

}  // namespace sluice::protocol

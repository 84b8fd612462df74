#pragma once

// The bytes and texts with which a binlog stream is asked for, and what the server's refusals mean. Pure functions.

#include "migration/model/failure.hpp"
#include "migration/ports/change_feed.hpp"
#include "protocol/message/err.hpp"
#include "protocol/wire/bytes.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::migration {

/// Payload of COM_BINLOG_DUMP_GTID or COM_BINLOG_DUMP. Fails with "binlog_position_too_large".
[[nodiscard]] outcome<protocol::byte_buffer> dump_command(const feed_start& start, std::uint32_t server_id);

/// What a replica tells the server before it asks: user variables, which MySQL and MariaDB know under various names and
/// ignore where they do not. uuid: 36 characters.
[[nodiscard]] std::string announcement_statement(std::string_view uuid, std::chrono::milliseconds heartbeat_interval);

/// Why the server ended the stream.
[[nodiscard]] failure dump_failure(const protocol::err_packet& error);

/// A random server id, 2^31 … 2^32-2.
[[nodiscard]] std::uint32_t random_server_id();

/// A random UUID (version 4), in lower case. Servers end an older stream with the same UUID.
[[nodiscard]] std::string random_uuid();

}  // namespace sluice::migration

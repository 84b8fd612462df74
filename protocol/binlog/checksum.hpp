#pragma once

// The CRC32 that may close every event (MySQL 5.6+, WL#2540; MariaDB 5.3+).

#include "protocol/binlog/error.hpp"

#include <string_view>

namespace sluice::binlog {

enum class checksum_algorithm : std::uint8_t { none = 0, crc32 = 1 };

inline constexpr std::size_t checksum_size = 4;

/// From the value of @@binlog_checksum ("NONE", "CRC32", any case). Errors: unsupported.
[[nodiscard]] decode_result<checksum_algorithm> parse_checksum_algorithm(std::string_view text);

/// Verifies and removes the checksum at the end of `event` (a whole event, header included). A format description that
/// is marked as in use was summed before the mark was set; that is taken into account.
/// Errors: truncated, checksum_mismatch.
[[nodiscard]] decode_result<byte_view> verify_checksum(byte_view event, checksum_algorithm algorithm);

}  // namespace sluice::binlog

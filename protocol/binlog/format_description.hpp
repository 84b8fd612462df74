#pragma once

// FORMAT_DESCRIPTION_EVENT (15): first event of every file and of every dump stream; states the server's version, the
// checksum algorithm and the size of each type's fixed part.

#include "protocol/binlog/checksum.hpp"
#include "protocol/binlog/event_header.hpp"

#include <array>

namespace sluice::binlog {

struct format_description_event {
    std::uint16_t binlog_version = 0;  ///< 4
    std::string server_version;        ///< "9.7.0", "10.11.14-MariaDB-log"
    std::uint32_t created_s = 0;       ///< not 0: first file since the server started, temporary tables are gone
    checksum_algorithm checksum = checksum_algorithm::none;
    /// Size of the fixed part by event type number; 0 where the server does not know the type.
    std::array<std::uint8_t, 256> post_header_sizes{};

    [[nodiscard]] bool is_mariadb() const noexcept;

    /// `event`: the whole event, header and checksum included, because where the checksum begins is told inside.
    /// The checksum is verified.
    /// Errors: truncated, malformed, unsupported (binlog version, algorithm), checksum_mismatch.
    [[nodiscard]] static decode_result<format_description_event> decode(byte_view event);
};

}  // namespace sluice::binlog

#pragma once

// MariaDB's compressed events (165-171, log_bin_compress): like the plain ones up to the statement of a query event, or
// the rows of a rows event, which are compressed. Source: MariaDB knowledge base, "Compressing Events to Reduce Size of
// the Binary Log".

#include "protocol/binlog/event_header.hpp"

namespace sluice::binlog {

/// The plain type of a compressed one; any other type is given back as it is.
[[nodiscard]] event_type uncompressed_type(event_type type) noexcept;

/// One compressed part: a byte 0x80 | size of the length (1-4), the length of the plain bytes (big-endian), a zlib
/// stream. `plain` is overwritten; it grows only with bytes that really came out.
/// Errors: truncated, malformed, unsupported (another algorithm), too_large (over plain_size_max).
[[nodiscard]] decode_result<void> inflate_part(byte_view compressed, std::size_t plain_size_max, byte_buffer& plain);

}  // namespace sluice::binlog

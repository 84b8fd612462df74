#pragma once

// The EOF packet: ends definitions and rows where deprecate_eof is not negotiated. Manual: "EOF_Packet".

#include "protocol/message/capabilities.hpp"
#include "protocol/wire/bytes.hpp"
#include "protocol/wire/error.hpp"

namespace sluice::protocol {

struct eof_packet {
    std::uint16_t warnings = 0;
    status_flags status = server_status::autocommit;
};

/// Errors: truncated, malformed (first byte is not 0xFE, or 9 bytes and more).
[[nodiscard]] wire_result<eof_packet> parse_eof(byte_view payload);
void serialise(byte_buffer& out, const eof_packet& eof);

}  // namespace sluice::protocol

#pragma once

// The ERR packet. Manual: "ERR_Packet".

#include "protocol/message/capabilities.hpp"
#include "protocol/wire/bytes.hpp"
#include "protocol/wire/error.hpp"

#include <string>

namespace sluice::protocol {

/// Owns its text: errors outlive the packet that brought them.
struct err_packet {
    std::uint16_t code = 0;
    /// Five characters, or empty where the packet had none (before the capabilities are known).
    std::string sqlstate;
    std::string message;
};

/// The SQLSTATE is recognised by its '#' mark, whatever was negotiated: servers differ before the handshake is
/// over.
/// Errors: truncated, malformed (first byte is not 0xFF).
[[nodiscard]] wire_result<err_packet> parse_err(byte_view payload);
/// Writes the SQLSTATE when protocol_41 is negotiated ("HY000" where it is empty).
void serialise(byte_buffer& out, const err_packet& err, capability_flags capabilities);

/// True for MariaDB's progress report, which looks like an ERR packet with code 0xFFFF and ends nothing. Needs the
/// first three bytes of the payload; sent only where mariadb_progress is negotiated.
[[nodiscard]] bool is_progress_report(byte_view payload_head) noexcept;

}  // namespace sluice::protocol

#pragma once

// The OK packet, and the OK packet in EOF's place (first byte 0xFE) that ends rows when deprecate_eof is negotiated.
// Manual: "OK_Packet"; WL#4797 for the session state.

#include "protocol/message/capabilities.hpp"
#include "protocol/wire/bytes.hpp"
#include "protocol/wire/error.hpp"

namespace sluice::protocol {

/// Views point into the payload that was parsed, or into what the caller keeps alive when serialising.
struct ok_packet {
    bool is_terminator = false;  ///< first byte 0xFE instead of 0x00
    std::uint64_t affected_rows = 0;
    std::uint64_t last_insert_id = 0;
    status_flags status = server_status::autocommit;
    std::uint16_t warnings = 0;
    std::string_view info;
    /// Tracker entries, see session_track.hpp. Sent only with session_track and status session_state_changed.
    std::string_view session_state;
};

/// `capabilities` are those of the session. Errors: truncated, malformed.
/// The manual calls info an end-of-packet string without session_track; servers in fact write its length. Both are
/// read.
[[nodiscard]] wire_result<ok_packet> parse_ok(byte_view payload, capability_flags capabilities);
void serialise(byte_buffer& out, const ok_packet& ok, capability_flags capabilities);

/// The status flags alone, from as few of the first bytes as they need (at most 21 of the payload's), for a relay that
/// does not want the whole packet. Errors: truncated when there are not enough, malformed.
[[nodiscard]] wire_result<status_flags> peek_ok_status(byte_view payload_head);
inline constexpr std::size_t ok_status_end_max = 21;

}  // namespace sluice::protocol

#pragma once

// The first packet of the reply to COM_STMT_PREPARE. Manual: "COM_STMT_PREPARE_OK". After it come parameter_count
// definitions and an EOF, then column_count definitions and an EOF; a group whose count is 0 is left out whole, and the
// EOFs are left out where deprecate_eof is negotiated.

#include "protocol/message/capabilities.hpp"
#include "protocol/wire/bytes.hpp"
#include "protocol/wire/error.hpp"

#include <optional>

namespace sluice::protocol {

struct prepare_ok {
    std::uint32_t statement_id = 0;
    std::uint16_t column_count = 0;
    std::uint16_t parameter_count = 0;
    std::uint16_t warnings = 0;
    /// Where optional_resultset_metadata is negotiated: false means that no definitions follow; their EOFs still do.
    std::optional<bool> metadata_follows;
};

/// Errors: truncated, malformed (first byte is not 0x00: look for ERR first).
[[nodiscard]] wire_result<prepare_ok> parse_prepare_ok(byte_view payload, capability_flags capabilities);
void serialise(byte_buffer& out, const prepare_ok& ok);

}  // namespace sluice::protocol

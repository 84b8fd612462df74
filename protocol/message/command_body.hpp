#pragma once

// The command byte at the head of a payload: checked when reading, written when building. Shared by the families of
// commands; not needed by their users.

#include "protocol/message/command.hpp"
#include "protocol/wire/reader.hpp"
#include "protocol/wire/writer.hpp"

namespace sluice::protocol {

/// A reader behind the command byte. Errors: truncated (empty payload), malformed (another command).
[[nodiscard]] inline wire_result<reader> open_command(byte_view payload, command expected) {
    reader in(payload);
    SLUICE_TRY(const auto first, in.u8());
    if (first != static_cast<std::uint8_t>(expected)) {
        return wire_error{wire_errc::malformed, "payload is another command"};
    }
    return in;
}

/// A writer that has written the command byte.
[[nodiscard]] inline writer begin_command(byte_buffer& buffer, command value) {
    writer out(buffer);
    out.u8(static_cast<std::uint8_t>(value));
    return out;
}

}  // namespace sluice::protocol

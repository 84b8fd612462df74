#pragma once

// The failures of everything that reads binary-log bytes. A failure is final for the stream: after one, the reader of
// the stream no longer knows what it may have missed.

#include "protocol/result.hpp"
#include "protocol/wire/bytes.hpp"

#include <cstdint>
#include <string>

namespace sluice::binlog {

using protocol::byte_buffer;
using protocol::byte_view;

enum class decode_errc : std::uint8_t {
    truncated,          ///< the event ends before what it announces
    malformed,          ///< the bytes are there but mean nothing that the format allows
    too_large,          ///< over a limit that the caller set
    checksum_mismatch,  ///< the CRC32 at the end of the event is not that of its bytes
    unsupported,        ///< valid, but a variant or a column type that cannot be used here
    unknown_table,      ///< a rows event names a table id that no table map announced
};

/// Stable lower-case name for logs and reports.
[[nodiscard]] const char* decode_errc_name(decode_errc code) noexcept;

struct decode_error {
    decode_errc code = decode_errc::malformed;
    std::string what;  ///< what was being read and what was wrong with it
};

template <class T>
using decode_result = sluice::result<T, decode_error>;

}  // namespace sluice::binlog

#pragma once

// The failures of everything that reads or builds protocol bytes. Each is a plain value without allocation.

#include "protocol/result.hpp"

#include <cstdint>

namespace sluice::protocol {

enum class wire_errc : std::uint8_t {
    truncated,        ///< the bytes end before the value does
    malformed,        ///< the bytes are there but mean nothing the protocol allows
    too_large,        ///< a length or a packet is over the limit that the caller set
    out_of_sequence,  ///< a frame does not carry the sequence id that is due
    unsupported,      ///< valid, but a dialect or an authentication plugin that Sluice does not speak
    insecure,         ///< would send a password in clear over a transport that others can read
    crypto_failure,   ///< OpenSSL refused (bad key, bad ciphertext)
};

/// Stable lower-case name for logs and reports.
[[nodiscard]] constexpr const char* wire_errc_name(wire_errc code) noexcept {
    switch (code) {
        case wire_errc::truncated: return "truncated";
        case wire_errc::malformed: return "malformed";
        case wire_errc::too_large: return "too_large";
        case wire_errc::out_of_sequence: return "out_of_sequence";
        case wire_errc::unsupported: return "unsupported";
        case wire_errc::insecure: return "insecure";
        case wire_errc::crypto_failure: return "crypto_failure";
    }
    return "unknown";
}

struct wire_error {
    wire_errc code = wire_errc::malformed;
    const char* what = "";  ///< a string literal: what was being read and what was wrong with it
};

template <class T>
using wire_result = sluice::result<T, wire_error>;

}  // namespace sluice::protocol

#pragma once

// mysql_native_password: SHA1(password) XOR SHA1(scramble + SHA1(SHA1(password))).
// Manual: "Authentication Methods / Native Authentication".

#include "protocol/wire/error.hpp"

#include <string>
#include <string_view>

namespace sluice::protocol {

/// The 20-byte answer to `scramble` (20 bytes, without a terminating NUL); empty for an empty password.
/// Errors: crypto_failure.
[[nodiscard]] wire_result<std::string> native_password_response(std::string_view password, std::string_view scramble);

}  // namespace sluice::protocol

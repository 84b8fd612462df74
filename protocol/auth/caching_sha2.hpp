#pragma once

// caching_sha2_password: the fast answer SHA256(password) XOR SHA256(SHA256(SHA256(password)) + scramble), and the form
// in which a password travels under RSA. Source: WL#9591; manual: "Caching_sha2_password information".

#include "protocol/wire/error.hpp"

#include <string>
#include <string_view>

namespace sluice::protocol {

/// The 32-byte fast answer to `scramble` (20 bytes, without a terminating NUL); empty for an empty password.
/// Errors: crypto_failure.
[[nodiscard]] wire_result<std::string> caching_sha2_response(std::string_view password, std::string_view scramble);

/// The password and a NUL, XORed with the scramble repeated: the plaintext that is encrypted under RSA.
/// The scramble must not be empty: asserted.
[[nodiscard]] std::string mask_password(std::string_view password, std::string_view scramble);
/// The reverse: the password without its NUL. Errors: malformed (no NUL at the end, or one inside).
[[nodiscard]] wire_result<std::string> unmask_password(std::string_view masked, std::string_view scramble);

}  // namespace sluice::protocol

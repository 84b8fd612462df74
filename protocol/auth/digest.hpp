#pragma once

// SHA-1 and SHA-256 over concatenated parts; for the files of this folder only.

#include "protocol/wire/error.hpp"

#include <initializer_list>
#include <string>
#include <string_view>

namespace sluice::protocol {

/// 20 bytes. Errors: crypto_failure (a provider without the algorithm).
[[nodiscard]] wire_result<std::string> sha1(std::initializer_list<std::string_view> parts);
/// 32 bytes. Errors: crypto_failure.
[[nodiscard]] wire_result<std::string> sha256(std::initializer_list<std::string_view> parts);

/// XORs `mask`, repeated as often as needed, into `text`. The mask must not be empty: asserted.
void xor_into(std::string& text, std::string_view mask);

}  // namespace sluice::protocol

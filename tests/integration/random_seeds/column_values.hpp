#pragma once

// Values for the columns that column_types draws, as SQL literals.

#include "tests/integration/random_seeds/column_types.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace sluice::test {

/// Numbers that differ by this or more, and are multiples of it, give values that are distinct under every collation;
/// others may be the same to the server: they differ by letter case, accents or trailing spaces.
inline constexpr std::uint64_t variants = 4;

/// How many numbers key_value() takes for this type; a multiple of `variants`, or small.
[[nodiscard]] std::uint64_t key_values(const column_type& type);
/// Value number n. For types that may stand in a key.
[[nodiscard]] std::string key_value(const column_type& type, std::uint64_t n);

/// Values worth trying: boundaries, zeros, trailing spaces and zero bytes, accents, fractions, large ones. The first is
/// a plain literal, fit for a DEFAULT where the type takes one. Without NULL.
[[nodiscard]] std::vector<std::string> value_pool(const column_type& type, server_kind server, dice& dice);

}  // namespace sluice::test

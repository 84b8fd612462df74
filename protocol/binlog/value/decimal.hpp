#pragma once

// DECIMAL as stored: groups of nine digits in four big-endian bytes, partial groups at both ends in fewer, the sign as
// the inverted top bit, negative numbers with all bits inverted. Source: MySQL manual, "Precision Math", "DECIMAL Data
// Type Characteristics".

#include "protocol/binlog/error.hpp"

namespace sluice::binlog {

struct decimal_format {
    unsigned precision = 0;  ///< 1 .. 65 digits
    unsigned scale = 0;      ///< 0 .. 38, not over the precision

    /// From a column's metadata word. Errors: malformed.
    [[nodiscard]] static decode_result<decimal_format> from_metadata(std::uint16_t metadata);
    /// Bytes.
    [[nodiscard]] std::size_t stored_size() const noexcept;
    /// "-12.50": exactly `scale` digits after the point, no zeros in front but one before the point; zero has no sign.
    /// Errors: malformed (wrong size, a group over its digits).
    [[nodiscard]] decode_result<std::string> to_text(byte_view cell) const;
};

}  // namespace sluice::binlog

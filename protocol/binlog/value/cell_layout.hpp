#pragma once

// How long a cell of a row image is. Every column type is either of fixed size or begins with its own length, so one
// layout per column, worked out when the table map comes, lets rows be stepped over without looking at types again.

#include "protocol/binlog/value/column_type.hpp"

namespace sluice::binlog {

struct cell_layout {
    std::uint32_t fixed_size = 0;  ///< bytes, when prefix_size is 0
    std::uint8_t prefix_size = 0;  ///< 1-4: bytes of a little-endian length in front of the value

    friend bool operator==(const cell_layout&, const cell_layout&) = default;
};

/// Errors: unsupported (a type without a known layout), malformed (impossible metadata).
[[nodiscard]] decode_result<cell_layout> layout_of(const column_type& column);

/// Takes a cell off the front of `bytes` and returns its value without the length in front.
/// Returns false, and leaves both alone, when the bytes end before the cell does.
[[nodiscard]] bool take_cell(cell_layout layout, byte_view& bytes, byte_view& value) noexcept;

}  // namespace sluice::binlog

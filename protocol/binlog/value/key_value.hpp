#pragma once

// The value of a key column, decoded from a row image so that it can be put back into SQL as a typed literal.
// Formats: MySQL manual, "Date and Time Data Type Representation", "Fixed-Point Types"; WL#946 (fractional seconds).

#include "protocol/binlog/value/column_type.hpp"

#include <compare>
#include <string>
#include <variant>

namespace sluice::binlog {

enum class key_kind : std::uint8_t {
    null,
    signed_integer,    ///< std::int64_t
    unsigned_integer,  ///< std::uint64_t
    bytes,             ///< std::string: CHAR, VARCHAR, BINARY, VARBINARY, BLOB, TEXT exactly as stored: the server has
                       ///< already stripped a CHAR's trailing spaces and a BINARY's trailing zeros
    decimal,           ///< std::string "-12.50": exactly the column's scale, no zeros in front but one before the point
    date,              ///< std::string "YYYY-MM-DD", zero parts as they are
    time,              ///< std::string "[-]hh:mm:ss[.f]", hours two or three digits
    datetime,          ///< std::string "YYYY-MM-DD hh:mm:ss[.f]"
    timestamp,         ///< std::string as datetime, in UTC; the zero value is "0000-00-00 00:00:00[.0]"
    year,              ///< std::string "YYYY", "0000" for zero
    bit,               ///< std::uint64_t
    enumeration,       ///< std::uint64_t: ordinal, 0 for the invalid value
    set,               ///< std::uint64_t: bit mask of members
};

[[nodiscard]] std::string_view key_kind_name(key_kind kind) noexcept;

/// [.f] has exactly as many digits as the column's fractional seconds precision, and is absent for 0.
struct key_value {
    key_kind kind = key_kind::null;
    std::variant<std::monostate, std::int64_t, std::uint64_t, std::string> value;

    [[nodiscard]] bool is_null() const noexcept { return kind == key_kind::null; }
    [[nodiscard]] std::int64_t signed_integer() const { return std::get<std::int64_t>(value); }
    /// For unsigned_integer, bit, enumeration and set.
    [[nodiscard]] std::uint64_t unsigned_integer() const { return std::get<std::uint64_t>(value); }
    /// For all kinds with a std::string above.
    [[nodiscard]] const std::string& text() const { return std::get<std::string>(value); }

    friend auto operator<=>(const key_value&, const key_value&) = default;
};

/// True when a column of this type may be part of the key that a migration follows: no FLOAT, DOUBLE, JSON, GEOMETRY or
/// VECTOR.
[[nodiscard]] bool may_be_key(field_type type) noexcept;

/// Decodes a cell that is present and not NULL. `cell` is the value as take_cell() and row_image give it.
/// Errors: unsupported (may_be_key is false), malformed (wrong size, impossible digits).
[[nodiscard]] decode_result<key_value> decode_key_value(const column_type& column, byte_view cell);

}  // namespace sluice::binlog

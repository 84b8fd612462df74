#pragma once

// A column's type as the binary log states it: enum_field_types and a 16-bit metadata word from the table map.
// Source: MySQL manual, "Binary Log / Table_map_event", field types of mysql_com.

#include "protocol/binlog/error.hpp"

#include <cstdint>
#include <string_view>

namespace sluice::binlog {

enum class field_type : std::uint8_t {
    decimal = 0,
    tiny = 1,
    short_int = 2,
    long_int = 3,
    float_number = 4,
    double_number = 5,
    null = 6,
    timestamp = 7,
    long_long = 8,
    int24 = 9,
    date = 10,
    time = 11,
    datetime = 12,
    year = 13,
    new_date = 14,
    varchar = 15,
    bit = 16,
    timestamp2 = 17,
    datetime2 = 18,
    time2 = 19,
    typed_array = 20,
    compressed_blob = 140,     ///< MariaDB, COMPRESSED columns
    compressed_varchar = 141,  ///< MariaDB
    vector = 242,
    invalid = 243,
    boolean = 244,
    json = 245,
    new_decimal = 246,
    enumeration = 247,
    set = 248,
    tiny_blob = 249,
    medium_blob = 250,
    long_blob = 251,
    blob = 252,
    var_string = 253,
    string = 254,
    geometry = 255,
};

/// Lower-case name for messages.
[[nodiscard]] std::string_view field_type_name(field_type type) noexcept;

/// `type` is the real type: ENUM and SET, which travel inside STRING, are already told apart.
/// metadata by type: varchar, var_string and string: maximum size in bytes; enumeration and set: size of the stored
/// number in bytes; bit: bits; new_decimal: precision << 8 | scale; blob, json, geometry, vector: bytes of the length
/// (1-4); time2, datetime2, timestamp2: fractional digits (0-6); float and double: size in bytes; others 0.
struct column_type {
    field_type type = field_type::null;
    std::uint16_t metadata = 0;
    /// Of an integer column. Table maps carry it only with optional metadata, so the owner of the schema sets it.
    bool is_unsigned = false;

    friend bool operator==(const column_type&, const column_type&) = default;
};

}  // namespace sluice::binlog

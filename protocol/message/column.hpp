#pragma once

// Column definitions. Manual: "Protocol::ColumnDefinition41".

#include "protocol/message/capabilities.hpp"
#include "protocol/wire/bytes.hpp"
#include "protocol/wire/error.hpp"

#include <string>

namespace sluice::protocol {

/// Type codes of columns and parameters on the wire (also those of the binary log's table map).
enum class column_type : std::uint8_t {
    decimal = 0x00,
    tiny = 0x01,
    short_integer = 0x02,
    long_integer = 0x03,
    float_number = 0x04,
    double_number = 0x05,
    null = 0x06,
    timestamp = 0x07,
    long_long = 0x08,
    int24 = 0x09,
    date = 0x0A,
    time = 0x0B,
    datetime = 0x0C,
    year = 0x0D,
    newdate = 0x0E,
    varchar = 0x0F,
    bit = 0x10,
    timestamp2 = 0x11,
    datetime2 = 0x12,
    time2 = 0x13,
    typed_array = 0x14,
    vector = 0xF2,
    invalid = 0xF3,
    boolean = 0xF4,
    json = 0xF5,
    new_decimal = 0xF6,
    enumeration = 0xF7,
    set = 0xF8,
    tiny_blob = 0xF9,
    medium_blob = 0xFA,
    long_blob = 0xFB,
    blob = 0xFC,
    var_string = 0xFD,
    string = 0xFE,
    geometry = 0xFF,
};

/// Values of this type are sent in the binary protocol as bytes behind their length.
[[nodiscard]] bool is_length_encoded(column_type type) noexcept;

namespace column_flag {
inline constexpr std::uint16_t not_null = 1;
inline constexpr std::uint16_t primary_key = 2;
inline constexpr std::uint16_t unsigned_number = 32;
inline constexpr std::uint16_t binary = 128;
}  // namespace column_flag

/// Collation ids that Sluice itself writes.
inline constexpr std::uint16_t collation_binary = 63;
inline constexpr std::uint16_t collation_utf8mb4_general_ci = 45;
inline constexpr std::uint16_t collation_utf8mb4_0900_ai_ci = 255;

struct column_definition {
    std::string catalog = "def";
    std::string schema;
    std::string table;
    std::string original_table;
    std::string name;
    std::string original_name;
    std::uint16_t character_set = collation_utf8mb4_general_ci;
    std::uint32_t length = 0;  ///< display width or maximum bytes
    column_type type = column_type::var_string;
    std::uint16_t flags = 0;
    std::uint8_t decimals = 0;
    /// MariaDB's extended type block, as sent; only with mariadb_extended_metadata.
    std::string extended_metadata;
    /// What follows the fixed part: the default value of COM_FIELD_LIST, as sent.
    std::string trailing;
};

/// `capabilities` are those of the session. Errors: truncated, malformed.
[[nodiscard]] wire_result<column_definition> parse_column_definition(byte_view payload, capability_flags capabilities);
void serialise(byte_buffer& out, const column_definition& column, capability_flags capabilities);

}  // namespace sluice::protocol

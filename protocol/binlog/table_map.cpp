#include "protocol/binlog/table_map.hpp"

#include "protocol/binlog/event_cursor.hpp"
#include "protocol/binlog/table_map_metadata.hpp"

#include <algorithm>

namespace sluice::binlog {

namespace {

/// STRING's metadata: ENUM and SET hide in the type byte, and so do the upper two bits of a CHAR's size, inverted.
column_type unpack_string(std::uint8_t type_byte, std::uint8_t size_byte) {
    const auto hidden = static_cast<field_type>(type_byte);
    if (hidden == field_type::enumeration || hidden == field_type::set) return {hidden, size_byte, false};
    const auto upper = static_cast<std::uint16_t>((~type_byte & 0x30) << 4);
    return {field_type::string, static_cast<std::uint16_t>(upper | size_byte), false};
}

/// One column's part of the metadata block; its size depends on the type.
column_type read_column_type(field_type type, event_cursor& cursor) {
    switch (type) {
        case field_type::float_number:
        case field_type::double_number:
        case field_type::blob:
        case field_type::tiny_blob:
        case field_type::medium_blob:
        case field_type::long_blob:
        case field_type::compressed_blob:
        case field_type::geometry:
        case field_type::json:
        case field_type::vector:
        case field_type::time2:
        case field_type::datetime2:
        case field_type::timestamp2: return {type, cursor.u8(), false};
        case field_type::varchar:
        case field_type::compressed_varchar:
        case field_type::var_string: return {type, cursor.u16(), false};
        case field_type::string:
        case field_type::enumeration:
        case field_type::set: {
            const auto type_byte = cursor.u8();
            return unpack_string(type_byte, cursor.u8());
        }
        case field_type::new_decimal: {
            const auto precision = cursor.u8();
            return {type, static_cast<std::uint16_t>(precision << 8 | cursor.u8()), false};
        }
        case field_type::bit: {
            const auto odd_bits = cursor.u8();
            return {type, static_cast<std::uint16_t>(cursor.u8() * 8 + odd_bits), false};
        }
        case field_type::typed_array: {
            // The element's type and its metadata; a VARCHAR element has a size of three bytes. The cell itself is a
            // JSON array with a length of four bytes.
            const auto element = static_cast<field_type>(cursor.u8());
            if (element == field_type::varchar) {
                cursor.skip(3);
            } else if (element == field_type::new_decimal) {
                cursor.skip(2);
            } else if (element == field_type::time2 || element == field_type::datetime2) {
                cursor.skip(1);
            }
            return {type, 4, false};
        }
        default: return {type, 0, false};
    }
}

table_map_name read_name(event_cursor& cursor, std::uint16_t& flags) {
    table_map_name name;
    name.table_id = cursor.u48();
    flags = cursor.u16();
    name.schema = protocol::as_text(cursor.lenenc_bytes());
    cursor.skip(1);
    name.table = protocol::as_text(cursor.lenenc_bytes());
    cursor.skip(1);
    return name;
}

bool test_bit(byte_view bits, std::size_t index) {
    return (std::to_integer<unsigned>(bits[index / 8]) >> (index % 8) & 1U) != 0;
}

}  // namespace

decode_result<table_map_name> table_map_name::decode(byte_view body) {
    event_cursor cursor(body);
    std::uint16_t flags = 0;
    const auto name = read_name(cursor, flags);
    if (!cursor.ok()) return cursor.error("table map");
    return name;
}

decode_result<table_map> table_map::decode(byte_view body, log_dialect dialect) {
    event_cursor cursor(body);
    table_map map;
    const auto name = read_name(cursor, map.flags);
    map.table_id = name.table_id;
    map.schema = name.schema;
    map.table = name.table;
    const auto column_count = cursor.lenenc_int();
    if (cursor.ok() && column_count > column_count_max) {
        return decode_error{decode_errc::too_large, "table map: more columns than a table can have"};
    }
    const auto types = cursor.bytes(column_count);
    event_cursor metadata(cursor.lenenc_bytes());
    const auto nullable = cursor.bytes((column_count + 7) / 8);
    if (!cursor.ok()) return cursor.error("table map");

    map.columns.reserve(types.size());
    for (std::size_t i = 0; i < types.size(); ++i) {
        table_map_column column;
        column.type = read_column_type(static_cast<field_type>(types[i]), metadata);
        if (!metadata.ok()) return metadata.error("table map: column metadata");
        SLUICE_TRY(column.layout, layout_of(column.type));
        column.is_nullable = test_bit(nullable, i);
        map.columns.push_back(column);
    }
    if (!metadata.empty()) return decode_error{decode_errc::malformed, "table map: column metadata left over"};
    SLUICE_TRY_VOID(read_optional_metadata(cursor.rest(), dialect, map));
    return map;
}

bool table_map::same_shape(const table_map& other) const {
    return schema == other.schema && table == other.table && metadata.column_names == other.metadata.column_names &&
           std::equal(columns.begin(), columns.end(), other.columns.begin(), other.columns.end(),
                      [](const table_map_column& left, const table_map_column& right) {
                          return left.type == right.type && left.is_nullable == right.is_nullable;
                      });
}

}  // namespace sluice::binlog

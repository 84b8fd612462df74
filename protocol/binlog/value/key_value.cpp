#include "protocol/binlog/value/key_value.hpp"

#include "protocol/binlog/value/decimal.hpp"
#include "protocol/binlog/value/temporal.hpp"

namespace sluice::binlog {

namespace {

decode_error malformed(const column_type& column) {
    return {decode_errc::malformed, "impossible value of a " + std::string(field_type_name(column.type)) + " column"};
}

std::uint64_t little_endian(byte_view bytes) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i) value |= std::to_integer<std::uint64_t>(bytes[i]) << (8 * i);
    return value;
}

decode_result<key_value> integer(const column_type& column, byte_view cell, std::size_t size) {
    if (cell.size() != size) return malformed(column);
    const auto raw = little_endian(cell);
    if (column.is_unsigned) return key_value{key_kind::unsigned_integer, raw};
    const auto unused_bits = 64 - 8 * size;
    return key_value{key_kind::signed_integer, static_cast<std::int64_t>(raw << unused_bits) >> unused_bits};
}

/// ENUM and SET are stored little-endian, BIT big-endian.
decode_result<key_value> bits(const column_type& column, byte_view cell, key_kind kind) {
    if (cell.empty() || cell.size() > sizeof(std::uint64_t)) return malformed(column);
    if (kind != key_kind::bit) return key_value{kind, little_endian(cell)};
    std::uint64_t value = 0;
    for (const auto byte : cell) value = value << 8 | std::to_integer<std::uint64_t>(byte);
    return key_value{kind, value};
}

decode_result<key_value> text(key_kind kind, decode_result<std::string> decoded) {
    SLUICE_TRY(auto value, std::move(decoded));
    return key_value{kind, std::move(value)};
}

decode_result<key_value> decimal(const column_type& column, byte_view cell) {
    SLUICE_TRY(const auto format, decimal_format::from_metadata(column.metadata));
    return text(key_kind::decimal, format.to_text(cell));
}

}  // namespace

std::string_view key_kind_name(key_kind kind) noexcept {
    switch (kind) {
        case key_kind::null: return "null";
        case key_kind::signed_integer: return "signed_integer";
        case key_kind::unsigned_integer: return "unsigned_integer";
        case key_kind::bytes: return "bytes";
        case key_kind::decimal: return "decimal";
        case key_kind::date: return "date";
        case key_kind::time: return "time";
        case key_kind::datetime: return "datetime";
        case key_kind::timestamp: return "timestamp";
        case key_kind::year: return "year";
        case key_kind::bit: return "bit";
        case key_kind::enumeration: return "enumeration";
        case key_kind::set: return "set";
    }
    return "unknown";
}

bool may_be_key(field_type type) noexcept {
    switch (type) {
        case field_type::tiny:
        case field_type::short_int:
        case field_type::int24:
        case field_type::long_int:
        case field_type::long_long:
        case field_type::new_decimal:
        case field_type::date:
        case field_type::new_date:
        case field_type::time:
        case field_type::time2:
        case field_type::datetime:
        case field_type::datetime2:
        case field_type::timestamp:
        case field_type::timestamp2:
        case field_type::year:
        case field_type::bit:
        case field_type::enumeration:
        case field_type::set:
        case field_type::varchar:
        case field_type::var_string:
        case field_type::string:
        case field_type::blob:
        case field_type::tiny_blob:
        case field_type::medium_blob:
        case field_type::long_blob: return true;
        default: return false;
    }
}

decode_result<key_value> decode_key_value(const column_type& column, byte_view cell) {
    if (!may_be_key(column.type)) {
        return decode_error{decode_errc::unsupported, "a column of type " + std::string(field_type_name(column.type)) +
                                                          " cannot be part of the key that is followed"};
    }
    switch (column.type) {
        case field_type::tiny: return integer(column, cell, 1);
        case field_type::short_int: return integer(column, cell, 2);
        case field_type::int24: return integer(column, cell, 3);
        case field_type::long_int: return integer(column, cell, 4);
        case field_type::long_long: return integer(column, cell, 8);
        case field_type::new_decimal: return decimal(column, cell);
        case field_type::date:
        case field_type::new_date: return text(key_kind::date, date_text(cell));
        case field_type::year: return text(key_kind::year, year_text(cell));
        case field_type::time: return text(key_kind::time, old_time_text(cell));
        case field_type::time2: return text(key_kind::time, time2_text(cell, column.metadata));
        case field_type::datetime: return text(key_kind::datetime, old_datetime_text(cell));
        case field_type::datetime2: return text(key_kind::datetime, datetime2_text(cell, column.metadata));
        case field_type::timestamp: return text(key_kind::timestamp, old_timestamp_text(cell));
        case field_type::timestamp2: return text(key_kind::timestamp, timestamp2_text(cell, column.metadata));
        case field_type::bit: return bits(column, cell, key_kind::bit);
        case field_type::enumeration: return bits(column, cell, key_kind::enumeration);
        case field_type::set: return bits(column, cell, key_kind::set);
        default: return key_value{key_kind::bytes, protocol::to_string(cell)};
    }
}

}  // namespace sluice::binlog

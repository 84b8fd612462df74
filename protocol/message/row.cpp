#include "protocol/message/row.hpp"

#include "protocol/wire/reader.hpp"
#include "protocol/wire/writer.hpp"

#include <bit>

namespace sluice::protocol {

namespace {

// The first two bits of a binary row's NULL bitmap are unused.
constexpr std::size_t null_bitmap_offset = 2;

template <class T>
binary_value as_integer(T value, bool is_unsigned) {
    if (is_unsigned) return static_cast<std::uint64_t>(value);
    return static_cast<std::int64_t>(static_cast<std::make_signed_t<T>>(value));
}

wire_result<binary_value> read_datetime(reader& in) {
    SLUICE_TRY(const auto size, in.u8());
    if (size != 0 && size != 4 && size != 7 && size != 11) {
        return wire_error{wire_errc::malformed, "binary date of an odd length"};
    }
    binary_datetime value;
    if (size >= 4) {
        SLUICE_TRY(value.year, in.u16());
        SLUICE_TRY(value.month, in.u8());
        SLUICE_TRY(value.day, in.u8());
    }
    if (size >= 7) {
        SLUICE_TRY(value.hour, in.u8());
        SLUICE_TRY(value.minute, in.u8());
        SLUICE_TRY(value.second, in.u8());
    }
    if (size == 11) {
        SLUICE_TRY(value.microsecond, in.u32());
    }
    return binary_value(value);
}

wire_result<binary_value> read_time(reader& in) {
    SLUICE_TRY(const auto size, in.u8());
    if (size != 0 && size != 8 && size != 12) {
        return wire_error{wire_errc::malformed, "binary time of an odd length"};
    }
    binary_time value;
    if (size >= 8) {
        SLUICE_TRY(const auto sign, in.u8());
        value.is_negative = sign != 0;
        SLUICE_TRY(value.days, in.u32());
        SLUICE_TRY(value.hours, in.u8());
        SLUICE_TRY(value.minutes, in.u8());
        SLUICE_TRY(value.seconds, in.u8());
    }
    if (size == 12) {
        SLUICE_TRY(value.microseconds, in.u32());
    }
    return binary_value(value);
}

wire_result<binary_value> read_number(reader& in, const column_definition& column) {
    const bool is_unsigned = (column.flags & column_flag::unsigned_number) != 0;
    switch (column.type) {
        case column_type::tiny: {
            SLUICE_TRY(const auto value, in.u8());
            return as_integer(value, is_unsigned);
        }
        case column_type::short_integer:
        case column_type::year: {
            SLUICE_TRY(const auto value, in.u16());
            return as_integer(value, is_unsigned);
        }
        case column_type::long_integer:
        case column_type::int24: {
            SLUICE_TRY(const auto value, in.u32());
            return as_integer(value, is_unsigned);
        }
        case column_type::long_long: {
            SLUICE_TRY(const auto value, in.u64());
            return as_integer(value, is_unsigned);
        }
        case column_type::float_number: {
            SLUICE_TRY(const auto value, in.u32());
            return binary_value(std::bit_cast<float>(value));
        }
        default: {
            SLUICE_TRY(const auto value, in.u64());
            return binary_value(std::bit_cast<double>(value));
        }
    }
}

wire_result<binary_value> read_binary_value(reader& in, const column_definition& column) {
    switch (column.type) {
        case column_type::tiny:
        case column_type::short_integer:
        case column_type::year:
        case column_type::long_integer:
        case column_type::int24:
        case column_type::long_long:
        case column_type::float_number:
        case column_type::double_number: return read_number(in, column);
        case column_type::date:
        case column_type::datetime:
        case column_type::timestamp: return read_datetime(in);
        case column_type::time: return read_time(in);
        case column_type::null: return binary_value();
        default: break;
    }
    if (!is_length_encoded(column.type)) {
        return wire_error{wire_errc::unsupported, "column type does not occur in binary rows"};
    }
    SLUICE_TRY(const auto value, in.lenenc_text());
    return binary_value(value);
}

}  // namespace

wire_result<text_row> parse_text_row(byte_view payload, std::size_t column_count) {
    // Every value takes a byte at least, which bounds the allocation.
    if (column_count > payload.size()) return wire_error{wire_errc::truncated, "row is shorter than its columns"};
    reader in(payload);
    text_row row;
    row.reserve(column_count);
    for (std::size_t i = 0; i < column_count; ++i) {
        SLUICE_TRY(const auto value, in.lenenc_text_or_null());
        row.push_back(value);
    }
    if (!in.empty()) return wire_error{wire_errc::malformed, "row is longer than its columns"};
    return row;
}

void append_text_row(byte_buffer& buffer, std::span<const std::optional<std::string_view>> values) {
    writer out(buffer);
    for (const auto& value : values) out.lenenc_text_or_null(value);
}

wire_result<std::vector<binary_value>> parse_binary_row(byte_view payload, std::span<const column_definition> columns) {
    reader in(payload);
    SLUICE_TRY(const auto first, in.u8());
    if (first != 0) return wire_error{wire_errc::malformed, "not a binary row"};
    SLUICE_TRY(const auto nulls, in.bytes((columns.size() + null_bitmap_offset + 7) / 8));
    std::vector<binary_value> row;
    row.reserve(columns.size());
    for (std::size_t i = 0; i < columns.size(); ++i) {
        const auto bit = i + null_bitmap_offset;
        if ((std::to_integer<unsigned>(nulls[bit / 8]) >> (bit % 8) & 1U) != 0) {
            row.emplace_back();
            continue;
        }
        SLUICE_TRY(auto value, read_binary_value(in, columns[i]));
        row.push_back(value);
    }
    if (!in.empty()) return wire_error{wire_errc::malformed, "row is longer than its columns"};
    return row;
}

}  // namespace sluice::protocol

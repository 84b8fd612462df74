#include "protocol/binlog/value/cell_layout.hpp"

#include "protocol/binlog/value/decimal.hpp"

namespace sluice::binlog {

namespace {

decode_error impossible(const column_type& column) {
    const std::string name(field_type_name(column.type));
    return {decode_errc::malformed, "impossible metadata of a " + name + " column"};
}

decode_result<cell_layout> prefixed(const column_type& column, std::uint16_t prefix_size) {
    if (prefix_size < 1 || prefix_size > 4) return impossible(column);
    return cell_layout{0, static_cast<std::uint8_t>(prefix_size)};
}

decode_result<cell_layout> with_fraction(const column_type& column, std::uint32_t whole_size) {
    constexpr std::uint16_t fraction_digits_max = 6;
    if (column.metadata > fraction_digits_max) return impossible(column);
    return cell_layout{whole_size + (column.metadata + 1U) / 2, 0};
}

decode_result<cell_layout> fixed(const column_type& column, std::uint32_t size, std::uint32_t size_max) {
    if (size == 0 || size > size_max) return impossible(column);
    return cell_layout{size, 0};
}

}  // namespace

decode_result<cell_layout> layout_of(const column_type& column) {
    const auto metadata = column.metadata;
    switch (column.type) {
        case field_type::tiny:
        case field_type::year: return cell_layout{1, 0};
        case field_type::short_int: return cell_layout{2, 0};
        case field_type::int24:
        case field_type::date:
        case field_type::new_date:
        case field_type::time: return cell_layout{3, 0};
        case field_type::long_int:
        case field_type::timestamp: return cell_layout{4, 0};
        case field_type::long_long:
        case field_type::datetime: return cell_layout{8, 0};
        case field_type::null: return cell_layout{0, 0};
        case field_type::float_number:
        case field_type::double_number: return fixed(column, metadata, 8);
        case field_type::enumeration: return fixed(column, metadata, 2);
        case field_type::set: return fixed(column, metadata, 8);
        case field_type::bit: return fixed(column, (metadata + 7U) / 8, 8);
        case field_type::time2: return with_fraction(column, 3);
        case field_type::timestamp2: return with_fraction(column, 4);
        case field_type::datetime2: return with_fraction(column, 5);
        case field_type::new_decimal: {
            SLUICE_TRY(const auto format, decimal_format::from_metadata(metadata));
            return cell_layout{static_cast<std::uint32_t>(format.stored_size()), 0};
        }
        case field_type::varchar:
        case field_type::var_string:
        case field_type::compressed_varchar:
        case field_type::string: return prefixed(column, metadata > 255 ? 2 : 1);
        case field_type::blob:
        case field_type::tiny_blob:
        case field_type::medium_blob:
        case field_type::long_blob:
        case field_type::compressed_blob:
        case field_type::geometry:
        case field_type::json:
        case field_type::vector:
        case field_type::typed_array: return prefixed(column, metadata);
        default:
            return decode_error{decode_errc::unsupported, "a column of type " +
                                                              std::string(field_type_name(column.type)) + " (" +
                                                              std::to_string(static_cast<unsigned>(column.type)) +
                                                              ") cannot be read from the binary log"};
    }
}

bool take_cell(cell_layout layout, byte_view& bytes, byte_view& value) noexcept {
    std::size_t size = layout.fixed_size;
    if (layout.prefix_size != 0) {
        if (bytes.size() < layout.prefix_size) return false;
        size = 0;
        for (std::size_t i = 0; i < layout.prefix_size; ++i) size |= std::to_integer<std::size_t>(bytes[i]) << (8 * i);
    }
    if (bytes.size() - layout.prefix_size < size) return false;
    value = bytes.subspan(layout.prefix_size, size);
    bytes = bytes.subspan(layout.prefix_size + size);
    return true;
}

}  // namespace sluice::binlog

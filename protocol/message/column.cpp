#include "protocol/message/column.hpp"

#include "protocol/wire/reader.hpp"
#include "protocol/wire/writer.hpp"

namespace sluice::protocol {

namespace {

constexpr std::size_t fixed_part_size = 12;

}  // namespace

bool is_length_encoded(column_type type) noexcept {
    switch (type) {
        case column_type::decimal:
        case column_type::new_decimal:
        case column_type::varchar:
        case column_type::var_string:
        case column_type::string:
        case column_type::enumeration:
        case column_type::set:
        case column_type::bit:
        case column_type::tiny_blob:
        case column_type::medium_blob:
        case column_type::long_blob:
        case column_type::blob:
        case column_type::json:
        case column_type::vector:
        case column_type::geometry: return true;
        default: return false;
    }
}

wire_result<column_definition> parse_column_definition(byte_view payload, capability_flags capabilities) {
    reader in(payload);
    column_definition column;
    SLUICE_TRY(column.catalog, in.lenenc_text());
    SLUICE_TRY(column.schema, in.lenenc_text());
    SLUICE_TRY(column.table, in.lenenc_text());
    SLUICE_TRY(column.original_table, in.lenenc_text());
    SLUICE_TRY(column.name, in.lenenc_text());
    SLUICE_TRY(column.original_name, in.lenenc_text());
    if (has(capabilities, capability::mariadb_extended_metadata)) {
        SLUICE_TRY(column.extended_metadata, in.lenenc_text());
    }
    SLUICE_TRY(const auto fixed_size, in.lenenc_int());
    if (fixed_size != fixed_part_size) {
        return wire_error{wire_errc::malformed, "column definition has a fixed part of another size"};
    }
    SLUICE_TRY(column.character_set, in.u16());
    SLUICE_TRY(column.length, in.u32());
    SLUICE_TRY(const auto type, in.u8());
    column.type = static_cast<column_type>(type);
    SLUICE_TRY(column.flags, in.u16());
    SLUICE_TRY(column.decimals, in.u8());
    SLUICE_TRY_VOID(in.skip(2));
    column.trailing = in.rest_text();
    return column;
}

void serialise(byte_buffer& buffer, const column_definition& column, capability_flags capabilities) {
    writer out(buffer);
    out.lenenc_text(column.catalog);
    out.lenenc_text(column.schema);
    out.lenenc_text(column.table);
    out.lenenc_text(column.original_table);
    out.lenenc_text(column.name);
    out.lenenc_text(column.original_name);
    if (has(capabilities, capability::mariadb_extended_metadata)) out.lenenc_text(column.extended_metadata);
    out.lenenc_int(fixed_part_size);
    out.u16(column.character_set);
    out.u32(column.length);
    out.u8(static_cast<std::uint8_t>(column.type));
    out.u16(column.flags);
    out.u8(column.decimals);
    out.zeros(2);
    out.text(column.trailing);
}

}  // namespace sluice::protocol

#include "protocol/binlog/table_map_metadata.hpp"

#include "protocol/binlog/event_cursor.hpp"

namespace sluice::binlog {

namespace {

enum class metadata_field : std::uint8_t {
    signedness = 1,
    default_charset = 2,
    column_charset = 3,
    column_name = 4,
    set_members = 5,
    enum_members = 6,
    geometry_type = 7,
    simple_primary_key = 8,
    primary_key_with_prefix = 9,
    enum_and_set_default_charset = 10,
    enum_and_set_column_charset = 11,
    visibility = 12,
    vector_dimension = 13,
};

bool is_numeric(field_type type) noexcept {
    switch (type) {
        case field_type::tiny:
        case field_type::short_int:
        case field_type::int24:
        case field_type::long_int:
        case field_type::long_long:
        case field_type::year:
        case field_type::new_decimal:
        case field_type::float_number:
        case field_type::double_number: return true;
        default: return false;
    }
}

bool is_character(field_type type) noexcept {
    switch (type) {
        case field_type::string:
        case field_type::var_string:
        case field_type::varchar:
        case field_type::compressed_varchar:
        case field_type::blob:
        case field_type::tiny_blob:
        case field_type::medium_blob:
        case field_type::long_blob:
        case field_type::compressed_blob:
        case field_type::vector: return true;
        default: return false;
    }
}

bool is_character_or_geometry(field_type type) noexcept { return is_character(type) || type == field_type::geometry; }

bool is_enum_or_set(field_type type) noexcept { return type == field_type::enumeration || type == field_type::set; }
bool is_enum(field_type type) noexcept { return type == field_type::enumeration; }
bool is_set(field_type type) noexcept { return type == field_type::set; }
bool is_geometry(field_type type) noexcept { return type == field_type::geometry; }
bool is_vector(field_type type) noexcept { return type == field_type::vector; }

using column_predicate = bool (*)(field_type);
using numbers = std::vector<std::optional<std::uint32_t>>;

std::vector<std::size_t> columns_that(const table_map& map, column_predicate holds) {
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < map.columns.size(); ++i) {
        if (holds(map.columns[i].type.type)) found.push_back(i);
    }
    return found;
}

/// Bits from the highest of the first byte on.
bool test_bit(byte_view bits, std::size_t index) {
    return index / 8 < bits.size() && (std::to_integer<unsigned>(bits[index / 8]) >> (7 - index % 8) & 1U) != 0;
}

void read_signedness(byte_view bits, table_map& map) {
    map.metadata.has_signedness = true;
    const auto columns = columns_that(map, is_numeric);
    for (std::size_t i = 0; i < columns.size(); ++i) map.columns[columns[i]].type.is_unsigned = test_bit(bits, i);
}

void read_visibility(byte_view bits, table_map& map) {
    map.metadata.has_visibility = true;
    for (std::size_t i = 0; i < map.columns.size(); ++i) map.columns[i].is_visible = test_bit(bits, i);
}

/// One number for each column of the kind, in their order. Which types belong to a kind differs between servers, so a
/// list of another length is dropped rather than held against the table map, whose rows can be read without it.
void read_list(event_cursor& cursor, const table_map& map, column_predicate holds, numbers& out) {
    const auto columns = columns_that(map, holds);
    numbers spread(map.columns.size());
    std::size_t count = 0;
    for (; cursor.ok() && !cursor.empty(); ++count) {
        const auto value = cursor.lenenc_int();
        if (count < columns.size()) spread[columns[count]] = static_cast<std::uint32_t>(value);
    }
    if (count == columns.size()) out = std::move(spread);
}

/// A number for all columns of the kind, then pairs for the exceptions: index among the columns of the kind, number.
/// Dropped like a list when an index is beyond them.
void read_default(event_cursor& cursor, const table_map& map, column_predicate holds, numbers& out) {
    const auto columns = columns_that(map, holds);
    const auto common = static_cast<std::uint32_t>(cursor.lenenc_int());
    numbers spread(map.columns.size());
    for (const auto column : columns) spread[column] = common;
    bool fits = true;
    while (cursor.ok() && !cursor.empty()) {
        const auto index = cursor.lenenc_int();
        const auto value = static_cast<std::uint32_t>(cursor.lenenc_int());
        fits = fits && index < columns.size();
        if (fits) spread[columns[index]] = value;
    }
    if (fits) out = std::move(spread);
}

void read_members(event_cursor& cursor, table_map& map, column_predicate holds) {
    auto& members = map.metadata.members;
    members.resize(map.columns.size());
    for (const auto column : columns_that(map, holds)) {
        const auto count = cursor.lenenc_int();
        members[column].clear();
        for (std::uint64_t i = 0; i < count && cursor.ok(); ++i) {
            members[column].emplace_back(protocol::as_text(cursor.lenenc_bytes()));
        }
        if (!cursor.ok()) return;
    }
}

void read_names(event_cursor& cursor, table_map& map) {
    auto& names = map.metadata.column_names;
    names.clear();
    while (cursor.ok() && !cursor.empty()) names.emplace_back(protocol::as_text(cursor.lenenc_bytes()));
    if (names.size() != map.columns.size()) cursor.fail();
}

void read_primary_key(event_cursor& cursor, table_map& map, bool has_prefixes) {
    auto& key = map.metadata.primary_key;
    key.clear();
    while (cursor.ok() && !cursor.empty()) {
        const auto column = cursor.lenenc_int();
        const auto prefix = has_prefixes ? cursor.lenenc_int() : 0;
        if (column >= map.columns.size()) return cursor.fail();
        key.push_back({static_cast<std::uint32_t>(column), static_cast<std::uint32_t>(prefix)});
    }
}

void read_field(metadata_field field, byte_view value, event_cursor& cursor, log_dialect dialect, table_map& map) {
    auto& metadata = map.metadata;
    const auto has_collation = dialect == log_dialect::mariadb ? is_character_or_geometry : is_character;
    switch (field) {
        case metadata_field::signedness: return read_signedness(value, map);
        case metadata_field::default_charset: return read_default(cursor, map, has_collation, metadata.collation_ids);
        case metadata_field::column_charset: return read_list(cursor, map, has_collation, metadata.collation_ids);
        case metadata_field::column_name: return read_names(cursor, map);
        case metadata_field::set_members: return read_members(cursor, map, is_set);
        case metadata_field::enum_members: return read_members(cursor, map, is_enum);
        case metadata_field::geometry_type: return read_list(cursor, map, is_geometry, metadata.geometry_types);
        case metadata_field::simple_primary_key: return read_primary_key(cursor, map, false);
        case metadata_field::primary_key_with_prefix: return read_primary_key(cursor, map, true);
        case metadata_field::enum_and_set_default_charset:
            return read_default(cursor, map, is_enum_or_set, metadata.member_collation_ids);
        case metadata_field::enum_and_set_column_charset:
            return read_list(cursor, map, is_enum_or_set, metadata.member_collation_ids);
        case metadata_field::visibility: return read_visibility(value, map);
        case metadata_field::vector_dimension: return read_list(cursor, map, is_vector, metadata.vector_dimensions);
    }
}

}  // namespace

decode_result<void> read_optional_metadata(byte_view fields, log_dialect dialect, table_map& map) {
    event_cursor cursor(fields);
    while (!cursor.empty()) {
        const auto field = static_cast<metadata_field>(cursor.u8());
        const auto value = cursor.lenenc_bytes();
        if (!cursor.ok()) return cursor.error("table map: optional metadata");
        event_cursor inside(value);
        read_field(field, value, inside, dialect, map);
        if (!inside.ok()) return inside.error("table map: optional metadata field");
    }
    return {};
}

}  // namespace sluice::binlog

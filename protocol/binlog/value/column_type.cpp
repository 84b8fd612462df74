#include "protocol/binlog/value/column_type.hpp"

namespace sluice::binlog {

std::string_view field_type_name(field_type type) noexcept {
    switch (type) {
        case field_type::decimal: return "decimal (before MySQL 5.0)";
        case field_type::tiny: return "tinyint";
        case field_type::short_int: return "smallint";
        case field_type::long_int: return "int";
        case field_type::float_number: return "float";
        case field_type::double_number: return "double";
        case field_type::null: return "null";
        case field_type::timestamp:
        case field_type::timestamp2: return "timestamp";
        case field_type::long_long: return "bigint";
        case field_type::int24: return "mediumint";
        case field_type::date:
        case field_type::new_date: return "date";
        case field_type::time:
        case field_type::time2: return "time";
        case field_type::datetime:
        case field_type::datetime2: return "datetime";
        case field_type::year: return "year";
        case field_type::varchar:
        case field_type::var_string: return "varchar";
        case field_type::bit: return "bit";
        case field_type::typed_array: return "typed array";
        case field_type::compressed_blob: return "compressed blob";
        case field_type::compressed_varchar: return "compressed varchar";
        case field_type::vector: return "vector";
        case field_type::invalid: return "invalid";
        case field_type::boolean: return "boolean";
        case field_type::json: return "json";
        case field_type::new_decimal: return "decimal";
        case field_type::enumeration: return "enum";
        case field_type::set: return "set";
        case field_type::tiny_blob:
        case field_type::medium_blob:
        case field_type::long_blob:
        case field_type::blob: return "blob";
        case field_type::string: return "char";
        case field_type::geometry: return "geometry";
    }
    return "unknown";
}

}  // namespace sluice::binlog

// Cell layouts and key values by hand: what no server writes, and the limits.

#include "protocol/binlog/value/cell_layout.hpp"
#include "protocol/binlog/value/decimal.hpp"
#include "protocol/binlog/value/key_value.hpp"

#include "tests/support/catch.hpp"
#include "tests/unit/binlog/fixture.hpp"

namespace sluice::binlog::test {

TEST_CASE("cell layouts", "[binlog]") {
    struct {
        column_type type;
        cell_layout layout;
    } const table[] = {
        {{field_type::tiny, 0}, {1, 0}},
        {{field_type::short_int, 0}, {2, 0}},
        {{field_type::int24, 0}, {3, 0}},
        {{field_type::long_int, 0}, {4, 0}},
        {{field_type::long_long, 0}, {8, 0}},
        {{field_type::float_number, 4}, {4, 0}},
        {{field_type::double_number, 8}, {8, 0}},
        {{field_type::year, 0}, {1, 0}},
        {{field_type::date, 0}, {3, 0}},
        {{field_type::time, 0}, {3, 0}},
        {{field_type::datetime, 0}, {8, 0}},
        {{field_type::timestamp, 0}, {4, 0}},
        {{field_type::time2, 0}, {3, 0}},
        {{field_type::time2, 3}, {5, 0}},
        {{field_type::datetime2, 6}, {8, 0}},
        {{field_type::timestamp2, 1}, {5, 0}},
        {{field_type::new_decimal, 10 << 8 | 2}, {5, 0}},
        {{field_type::new_decimal, 65 << 8 | 30}, {30, 0}},
        {{field_type::bit, 1}, {1, 0}},
        {{field_type::bit, 10}, {2, 0}},
        {{field_type::bit, 64}, {8, 0}},
        {{field_type::enumeration, 2}, {2, 0}},
        {{field_type::set, 8}, {8, 0}},
        {{field_type::varchar, 255}, {0, 1}},
        {{field_type::varchar, 256}, {0, 2}},
        {{field_type::string, 255}, {0, 1}},
        {{field_type::string, 1020}, {0, 2}},
        {{field_type::blob, 1}, {0, 1}},
        {{field_type::blob, 4}, {0, 4}},
        {{field_type::json, 4}, {0, 4}},
        {{field_type::geometry, 4}, {0, 4}},
        {{field_type::vector, 4}, {0, 4}},
        {{field_type::typed_array, 4}, {0, 4}},
    };
    for (const auto& row : table) {
        INFO(field_type_name(row.type.type) << " with metadata " << row.type.metadata);
        const auto layout = layout_of(row.type);
        REQUIRE(layout);
        CHECK(*layout == row.layout);
    }
}

TEST_CASE("impossible column types have no layout", "[binlog]") {
    struct {
        column_type type;
        decode_errc code;
    } const table[] = {
        {{field_type::blob, 0}, decode_errc::malformed},
        {{field_type::blob, 5}, decode_errc::malformed},
        {{field_type::json, 0xFFFF}, decode_errc::malformed},
        {{field_type::time2, 7}, decode_errc::malformed},
        {{field_type::new_decimal, 0}, decode_errc::malformed},
        {{field_type::new_decimal, 0x0203}, decode_errc::malformed},
        {{field_type::new_decimal, 0xFF00}, decode_errc::malformed},
        {{field_type::bit, 65}, decode_errc::malformed},
        {{field_type::bit, 0}, decode_errc::malformed},
        {{field_type::set, 9}, decode_errc::malformed},
        {{field_type::enumeration, 0}, decode_errc::malformed},
        {{field_type::float_number, 0}, decode_errc::malformed},
        {{field_type::decimal, 8}, decode_errc::unsupported},
        {{field_type::invalid, 0}, decode_errc::unsupported},
        {{field_type(99), 0}, decode_errc::unsupported},
        {{field_type::boolean, 0}, decode_errc::unsupported},
    };
    for (const auto& row : table) {
        INFO(field_type_name(row.type.type) << " with metadata " << row.type.metadata);
        const auto layout = layout_of(row.type);
        REQUIRE(layout.has_error());
        CHECK(layout.error().code == row.code);
    }
}

TEST_CASE("cells are taken whole or not at all", "[binlog]") {
    const auto bytes = bytes_of({3, 0, 0, 0, 'a', 'b', 'c', 'd'});
    for (std::uint8_t prefix_size = 1; prefix_size <= 4; ++prefix_size) {
        for (std::size_t size = 0; size <= bytes.size(); ++size) {
            auto rest = byte_view(bytes).first(size);
            byte_view value;
            const bool is_whole = size >= prefix_size + 3U;
            REQUIRE(take_cell({0, prefix_size}, rest, value) == is_whole);
            CHECK(rest.size() == (is_whole ? size - prefix_size - 3U : size));
            CHECK(value.size() == (is_whole ? 3 : 0));
        }
    }
    const auto huge = bytes_of({0xFF, 0xFF, 0xFF, 0xFF, 1});
    byte_view rest(huge);
    byte_view value;
    CHECK_FALSE(take_cell({0, 4}, rest, value));
    CHECK_FALSE(take_cell({6, 0}, rest, value));
    CHECK(take_cell({5, 0}, rest, value));
    CHECK(rest.empty());
}

TEST_CASE("types that are refused as keys", "[binlog]") {
    for (const auto type : {field_type::float_number, field_type::double_number, field_type::json, field_type::geometry,
                            field_type::vector, field_type::typed_array, field_type::compressed_blob}) {
        const auto value = decode_key_value({type, 4}, bytes_of({0, 0, 0, 0}));
        REQUIRE(value.has_error());
        CHECK(value.error().code == decode_errc::unsupported);
    }
}

TEST_CASE("impossible key values", "[binlog]") {
    struct {
        column_type type;
        byte_buffer cell;
    } const table[] = {
        {{field_type::tiny, 0}, {}},
        {{field_type::tiny, 0}, bytes_of({1, 2})},
        {{field_type::long_long, 0}, bytes_of({1, 2, 3, 4, 5, 6, 7})},
        {{field_type::bit, 64}, bytes_of({1, 2, 3, 4, 5, 6, 7, 8, 9})},
        {{field_type::set, 8}, {}},
        {{field_type::year, 0}, {}},
        {{field_type::date, 0}, bytes_of({0xFF, 0xFF, 0xFF})},  // month 15
        {{field_type::date, 0}, bytes_of({1, 2})},
        {{field_type::time2, 0}, bytes_of({0x80, 0x0F, 0xC0})},  // minute 63
        {{field_type::time2, 0}, bytes_of({0xFF, 0xFF, 0xFF})},
        {{field_type::time2, 2}, bytes_of({0x80, 0, 0, 200})},  // 200 hundredths
        {{field_type::time2, 6}, bytes_of({0x80, 0, 0})},
        {{field_type::datetime2, 0}, bytes_of({0xFF, 0xFF, 0xFF, 0xFF, 0xFF})},
        {{field_type::datetime2, 6}, bytes_of({0x99, 0xB2, 0, 0, 0, 0xFF, 0xFF, 0xFF})},
        {{field_type::timestamp2, 4}, bytes_of({0x65, 0, 0, 0, 0xFF, 0xFF})},
        {{field_type::timestamp, 0}, bytes_of({1, 2, 3})},
        {{field_type::time, 0}, bytes_of({0x63, 0, 0, 0})},
        {{field_type::time, 0}, bytes_of({0x63, 0, 0x7F})},  // hours over 838
        {{field_type::datetime, 0}, bytes_of({0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF})},
        {{field_type::new_decimal, 10 << 8 | 2}, bytes_of({0x80, 0, 0, 0})},
        {{field_type::new_decimal, 10 << 8 | 2}, bytes_of({0xFF, 0xFF, 0xFF, 0xFF, 0x7F})},  // 9 digits of 2^31
        {{field_type::new_decimal, 10 << 8 | 2}, bytes_of({0x80, 0, 0, 0, 100})},
    };
    for (const auto& row : table) {
        INFO(field_type_name(row.type.type) << " of " << row.cell.size() << " bytes");
        const auto value = decode_key_value(row.type, row.cell);
        REQUIRE(value.has_error());
        CHECK(value.error().code == decode_errc::malformed);
    }
}

TEST_CASE("decimals and times by hand", "[binlog]") {
    struct {
        column_type type;
        byte_buffer cell;
        const char* text;
    } const table[] = {
        {{field_type::new_decimal, 4 << 8 | 2}, bytes_of({0x80, 0x00}), "0.00"},
        {{field_type::new_decimal, 4 << 8 | 2}, bytes_of({0x7F, 0xFF}), "0.00"},  // a negative zero
        {{field_type::new_decimal, 4 << 8 | 2}, bytes_of({0x8C, 0x32}), "12.50"},
        {{field_type::new_decimal, 4 << 8 | 2}, bytes_of({0x73, 0xCD}), "-12.50"},
        {{field_type::new_decimal, 1 << 8 | 1}, bytes_of({0x85}), "0.5"},
        {{field_type::time2, 0}, bytes_of({0x80, 0, 0}), "00:00:00"},
        {{field_type::time2, 2}, bytes_of({0x7F, 0xFF, 0xFF, 0xFF}), "-00:00:00.01"},
        {{field_type::timestamp2, 0}, bytes_of({0, 0, 0, 0}), "0000-00-00 00:00:00"},
        {{field_type::timestamp2, 0}, bytes_of({0xFF, 0xFF, 0xFF, 0xFF}), "2106-02-07 06:28:15"},
        {{field_type::year, 0}, bytes_of({255}), "2155"},
        {{field_type::date, 0}, bytes_of({0, 0, 0}), "0000-00-00"},
    };
    for (const auto& row : table) {
        const auto value = decode_key_value(row.type, row.cell);
        REQUIRE(value);
        CHECK(value->text() == row.text);
    }
}

TEST_CASE("key values are told apart by kind and value", "[binlog]") {
    const key_value null;
    CHECK(null.is_null());
    CHECK(null == key_value{});
    CHECK(key_value{key_kind::signed_integer, std::int64_t{1}} !=
          key_value{key_kind::unsigned_integer, std::uint64_t{1}});
    CHECK(key_value{key_kind::date, std::string("2024-01-01")} !=
          key_value{key_kind::bytes, std::string("2024-01-01")});
    CHECK(key_value{key_kind::signed_integer, std::int64_t{-1}} < key_value{key_kind::signed_integer, std::int64_t{1}});
    CHECK(key_value{key_kind::unsigned_integer, std::uint64_t{1}} <
          key_value{key_kind::unsigned_integer, ~std::uint64_t{0}});
}

}  // namespace sluice::binlog::test

#include "protocol/message/column.hpp"
#include "protocol/message/prepared.hpp"
#include "protocol/message/row.hpp"

#include "tests/unit/wire/wire_support.hpp"

using namespace sluice::protocol;
using namespace sluice::protocol::test;

namespace {

column_definition column_of(column_type type, std::uint16_t flags = 0) {
    column_definition column;
    column.type = type;
    column.flags = flags;
    return column;
}

template <class T>
void check_value(const binary_value& value, const T& expected) {
    REQUIRE(std::holds_alternative<T>(value));
    CHECK((std::get<T>(value) == expected));
}

}  // namespace

TEST_CASE("column definition") {
    column_definition column;
    column.schema = "shop";
    column.table = "t";
    column.original_table = "orders";
    column.name = "n";
    column.original_name = "number";
    column.character_set = 63;
    column.length = 20;
    column.type = column_type::long_long;
    column.flags = 0x4203;
    column.decimals = 31;
    const auto bytes = bytes_of(column, capability_flags{0});
    CHECK(to_hex(bytes) ==
          packed("03646566 0473686f70 0174 066f7264657273 016e 066e756d626572 0c 3f00 14000000 08 0342 1f 0000"));
    const auto again = parse_column_definition(bytes, 0).value();
    CHECK(again.catalog == "def");
    CHECK(again.schema == "shop");
    CHECK(again.table == "t");
    CHECK(again.original_table == "orders");
    CHECK(again.name == "n");
    CHECK(again.original_name == "number");
    CHECK(again.character_set == 63);
    CHECK(again.length == 20);
    CHECK(again.type == column_type::long_long);
    CHECK(again.flags == 0x4203);
    CHECK(again.decimals == 31);
    check_truncations_fail(bytes, [](byte_view part) { return parse_column_definition(part, 0); });

    column.trailing = "\xfb";
    column.extended_metadata = "xy";
    const auto extended = bytes_of(column, capability::mariadb_extended_metadata);
    const auto both = parse_column_definition(extended, capability::mariadb_extended_metadata).value();
    CHECK(both.extended_metadata == "xy");
    CHECK(both.trailing == "\xfb");
    CHECK(parse_column_definition(extended, 0).error().code == wire_errc::malformed);
}

TEST_CASE("text rows") {
    const text_row values = {"1", std::nullopt, "", "abc"};
    byte_buffer bytes;
    append_text_row(bytes, values);
    CHECK(to_hex(bytes) == packed("0131 fb 00 03616263"));
    CHECK(parse_text_row(bytes, 4).value() == values);
    CHECK(parse_text_row(bytes, 3).error().code == wire_errc::malformed);
    CHECK(parse_text_row(bytes, 5).error().code == wire_errc::truncated);
    CHECK(parse_text_row(bytes, SIZE_MAX).error().code == wire_errc::truncated);
    check_truncations_fail(bytes, [](byte_view part) { return parse_text_row(part, 4); });
}

TEST_CASE("binary rows: every type") {
    const std::vector<column_definition> columns = {
        column_of(column_type::tiny),          column_of(column_type::tiny, column_flag::unsigned_number),
        column_of(column_type::short_integer), column_of(column_type::year, column_flag::unsigned_number),
        column_of(column_type::long_integer),  column_of(column_type::int24, column_flag::unsigned_number),
        column_of(column_type::long_long),     column_of(column_type::long_long, column_flag::unsigned_number),
        column_of(column_type::float_number),  column_of(column_type::double_number),
        column_of(column_type::var_string),    column_of(column_type::new_decimal),
        column_of(column_type::date),          column_of(column_type::datetime),
        column_of(column_type::timestamp),     column_of(column_type::time),
        column_of(column_type::time),
        column_of(column_type::blob),  // NULL
        column_of(column_type::json),
    };
    const auto bytes = from_hex(
        "00 000008"  // the 18th column's bit is 17 + 2
        "ff ff feff e407 fdffffff 01000000 fcffffffffffffff ffffffffffffffff 0000c03f "
        "000000000000f8bf 026162 04312e3530 04e4070102 07e4070102030405 "
        "0be407010203040540420f00 00 0c01 22000000 160305 40420f00 027b7d");
    const auto row = parse_binary_row(bytes, columns).value();
    REQUIRE(row.size() == columns.size());
    check_value<std::int64_t>(row[0], -1);
    check_value<std::uint64_t>(row[1], 255);
    check_value<std::int64_t>(row[2], -2);
    check_value<std::uint64_t>(row[3], 2020);
    check_value<std::int64_t>(row[4], -3);
    check_value<std::uint64_t>(row[5], 1);
    check_value<std::int64_t>(row[6], -4);
    check_value<std::uint64_t>(row[7], ~0ULL);
    check_value<float>(row[8], 1.5F);
    check_value<double>(row[9], -1.5);
    check_value<std::string_view>(row[10], "ab");
    check_value<std::string_view>(row[11], "1.50");
    check_value(row[12], binary_datetime{2020, 1, 2, 0, 0, 0, 0});
    check_value(row[13], binary_datetime{2020, 1, 2, 3, 4, 5, 0});
    check_value(row[14], binary_datetime{2020, 1, 2, 3, 4, 5, 1000000});
    check_value(row[15], binary_time{});
    check_value(row[16], binary_time{true, 34, 22, 3, 5, 1000000});
    CHECK(std::holds_alternative<std::monostate>(row[17]));
    check_value<std::string_view>(row[18], "{}");
    check_truncations_fail(bytes, [&](byte_view part) { return parse_binary_row(part, columns); });

    auto longer = bytes;
    longer.push_back(std::byte{0});
    CHECK(parse_binary_row(longer, columns).error().code == wire_errc::malformed);
}

TEST_CASE("binary rows that mean nothing") {
    const std::vector columns = {column_of(column_type::date)};
    CHECK(parse_binary_row(from_hex("000005e407010203"), columns).error().code == wire_errc::malformed);
    CHECK(parse_binary_row(from_hex("010000"), columns).error().code == wire_errc::malformed);
    const std::vector time_column = {column_of(column_type::time)};
    CHECK(parse_binary_row(from_hex("00000400000000"), time_column).error().code == wire_errc::malformed);
    const std::vector unknown = {column_of(column_type::typed_array)};
    CHECK(parse_binary_row(from_hex("00000100"), unknown).error().code == wire_errc::unsupported);
}

TEST_CASE("reply to a prepare") {
    const auto bytes = from_hex("000100000009000300000400");
    const auto ok = parse_prepare_ok(bytes, 0).value();
    CHECK(ok.statement_id == 1);
    CHECK(ok.column_count == 9);
    CHECK(ok.parameter_count == 3);
    CHECK(ok.warnings == 4);
    CHECK_FALSE(ok.metadata_follows);
    CHECK(bytes_of(ok) == bytes);
    check_truncations_fail(bytes, [](byte_view part) { return parse_prepare_ok(part, 0); });

    const auto without = from_hex("00010000000200010000000000");
    const auto head = parse_prepare_ok(without, capability::optional_resultset_metadata).value();
    CHECK(head.metadata_follows == false);
    CHECK(bytes_of(head) == without);
    CHECK(parse_prepare_ok(from_hex("ff0100"), 0).error().code == wire_errc::malformed);
}

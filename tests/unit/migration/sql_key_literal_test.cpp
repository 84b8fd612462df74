#include <string>
#include <variant>
#include <vector>

#include "migration/sql/key_literal.hpp"
#include "tests/support/catch.hpp"

using namespace sluice;
using namespace sluice::migration;
using binlog::key_kind;
using binlog::key_value;

namespace {

key_column column_of(key_type type, std::string charset = {}, std::uint64_t binary_length = 0) {
    key_column column;
    column.original = "k";
    column.ghost = "k";
    column.type = type;
    column.charset = std::move(charset);
    column.binary_length = binary_length;
    return column;
}

using value_variant = decltype(key_value::value);

}  // namespace

TEST_CASE("sql_key_literal: from values of the binary log") {
    struct sample {
        key_column column;
        key_value value;
        std::string literal;
    };
    const auto unsigned_max = std::numeric_limits<std::uint64_t>::max();
    const auto signed_min = std::numeric_limits<std::int64_t>::min();
    const std::vector<sample> samples{
        {column_of(key_type::integer), {key_kind::signed_integer, std::int64_t{-5}}, "-5"},
        {column_of(key_type::integer), {key_kind::signed_integer, signed_min}, "-9223372036854775808"},
        {column_of(key_type::integer), {key_kind::unsigned_integer, unsigned_max}, "18446744073709551615"},
        {column_of(key_type::bit), {key_kind::bit, std::uint64_t{6}}, "6"},
        {column_of(key_type::ordinal), {key_kind::enumeration, std::uint64_t{0}}, "0"},
        {column_of(key_type::ordinal), {key_kind::set, std::uint64_t{5}}, "5"},
        {column_of(key_type::decimal), {key_kind::decimal, std::string("-12.50")}, "-12.50"},
        {column_of(key_type::year), {key_kind::year, std::string("0000")}, "'0000'"},
        {column_of(key_type::temporal), {key_kind::date, std::string("2026-00-00")}, "'2026-00-00'"},
        {column_of(key_type::temporal), {key_kind::time, std::string("-838:59:59.000000")}, "TIME'-838:59:59.000000'"},
        {column_of(key_type::temporal),
         {key_kind::datetime, std::string("2026-01-02 03:04:05.000006")},
         "'2026-01-02 03:04:05.000006'"},
        {column_of(key_type::temporal),
         {key_kind::timestamp, std::string("0000-00-00 00:00:00")},
         "'0000-00-00 00:00:00'"},
        {column_of(key_type::text, "latin1"), {key_kind::bytes, std::string("a'\xE9,")}, "_latin1 0x6127E92C"},
        {column_of(key_type::text, "utf8mb4"), {key_kind::bytes, std::string()}, "_utf8mb4 ''"},
        {column_of(key_type::binary), {key_kind::bytes, std::string("\x00\x01", 2)}, "_binary 0x0001"},
        {column_of(key_type::binary), {key_kind::bytes, std::string()}, "_binary ''"},
        {column_of(key_type::binary, "", 4), {key_kind::bytes, std::string("\x01")}, "_binary 0x01000000"},
        {column_of(key_type::binary, "", 2), {key_kind::bytes, std::string()}, "_binary 0x0000"},
        {column_of(key_type::binary, "", 2), {key_kind::bytes, std::string("ab")}, "_binary 0x6162"},
    };
    for (const auto& one : samples) {
        CAPTURE(one.literal);
        CHECK(literal_of_value(one.column, one.value) == one.literal);
    }
}

TEST_CASE("sql_key_literal: values that do not fit the column trip an assertion") {
    const key_value number{key_kind::signed_integer, std::int64_t{1}};
    const key_value bytes{key_kind::bytes, std::string("x")};
    CHECK_THROWS_AS(literal_of_value(column_of(key_type::text, "latin1"), number), assertion_failure);
    CHECK_THROWS_AS(literal_of_value(column_of(key_type::integer), bytes), assertion_failure);
    CHECK_THROWS_AS(literal_of_value(column_of(key_type::integer), key_value{}), assertion_failure);
    CHECK_THROWS_AS(literal_of_value(column_of(key_type::text, "x'; --"), bytes), assertion_failure);
    CHECK_THROWS_AS(literal_of_value(column_of(key_type::text, ""), bytes), assertion_failure);
    const key_value injected{key_kind::decimal, std::string("1 OR 1")};
    CHECK_THROWS_AS(literal_of_value(column_of(key_type::decimal), injected), assertion_failure);
    const key_value quote{key_kind::date, std::string("2026' OR '1")};
    CHECK_THROWS_AS(literal_of_value(column_of(key_type::temporal), quote), assertion_failure);
}

TEST_CASE("sql_key_literal: from selected cells") {
    struct sample {
        key_column column;
        bool is_unsigned;
        std::string cell;
        key_value value;
    };
    const std::vector<sample> samples{
        {column_of(key_type::integer), false, "-5", {key_kind::signed_integer, std::int64_t{-5}}},
        {column_of(key_type::integer), true, "5", {key_kind::unsigned_integer, std::uint64_t{5}}},
        {column_of(key_type::integer),
         true,
         "18446744073709551615",
         {key_kind::unsigned_integer, std::numeric_limits<std::uint64_t>::max()}},
        {column_of(key_type::bit), false, "255", {key_kind::bit, std::uint64_t{255}}},
        {column_of(key_type::ordinal), false, "3", {key_kind::enumeration, std::uint64_t{3}}},
        {column_of(key_type::decimal), false, "-0.10", {key_kind::decimal, std::string("-0.10")}},
        {column_of(key_type::year), false, "2026", {key_kind::year, std::string("2026")}},
        {column_of(key_type::temporal), false, "2026-01-02", {key_kind::date, std::string("2026-01-02")}},
        {column_of(key_type::temporal), false, "-10:00:00", {key_kind::time, std::string("-10:00:00")}},
        {column_of(key_type::temporal),
         false,
         "2026-01-02 10:00:00.5",
         {key_kind::datetime, std::string("2026-01-02 10:00:00.5")}},
        {column_of(key_type::text, "latin1"), false, "E961", {key_kind::bytes, std::string("\xE9\x61")}},
        {column_of(key_type::text, "latin1"), false, "", {key_kind::bytes, std::string()}},
        {column_of(key_type::binary, "", 2), false, "0100", {key_kind::bytes, std::string("\x01\x00", 2)}},
    };
    for (const auto& one : samples) {
        CAPTURE(one.cell);
        const auto value = value_of_cell(one.column, one.is_unsigned, one.cell);
        REQUIRE(value.has_value());
        CHECK(value->kind == one.value.kind);
        CHECK(value->value == one.value.value);
    }
    struct refusal {
        key_type type;
        bool is_unsigned;
        cell text;
    };
    const std::vector<refusal> refused{
        {key_type::integer, false, std::nullopt},
        {key_type::integer, false, ""},
        {key_type::integer, false, "5x"},
        {key_type::integer, true, "-5"},
        {key_type::integer, false, "9223372036854775808"},
        {key_type::decimal, false, "1e5"},
        {key_type::decimal, false, "1."},
        {key_type::decimal, false, "1 OR 1"},
        {key_type::temporal, false, "2026' OR '1"},
        {key_type::temporal, false, ""},
        {key_type::year, false, "26"},
        {key_type::text, false, "ABC"},
        {key_type::binary, false, "GG"},
        {key_type::bit, false, "-1"},
    };
    for (const auto& one : refused) {
        CAPTURE(one.text.value_or("NULL"));
        const auto value = value_of_cell(column_of(one.type, "latin1"), one.is_unsigned, one.text);
        REQUIRE(value.has_error());
        CHECK(value.error().code == "bad_key_value");
        CHECK(value.error().message.find("`k`") != std::string::npos);
    }
}

TEST_CASE("sql_key_literal: joined and split again") {
    const std::vector<key_literals> keys{{"1"}, {"1", "_latin1 0x2C", "'2026-01-02 03:04:05'"}, {"_binary ''", "-5"}};
    for (const auto& key : keys) CHECK(split_literals(join_literals(key)) == key);
    CHECK(join_literals(keys[1]) == "1,_latin1 0x2C,'2026-01-02 03:04:05'");
}

TEST_CASE("sql_copy_columns: key columns from descriptions") {
    column_description column;
    column.name = "k";
    column.data_type = "binary";
    column.column_type = "binary(16)";
    column.octet_length_max = 16;
    auto ghost = column;
    ghost.name = "g";
    auto key = key_column_of(column, ghost);
    REQUIRE(key.has_value());
    CHECK(key->type == key_type::binary);
    CHECK(key->binary_length == 16);
    CHECK(key->original == "k");
    CHECK(key->ghost == "g");

    column.data_type = ghost.data_type = "varchar";
    column.charset = ghost.charset = "latin1";
    column.collation = ghost.collation = "latin1_swedish_ci";
    key = key_column_of(column, ghost);
    REQUIRE(key.has_value());
    CHECK(key->charset == "latin1");
    CHECK(key->ghost_collation.empty());
    CHECK(key->binary_length == 0);
    ghost.charset = "utf8mb4";
    ghost.collation = "utf8mb4_bin";
    key = key_column_of(column, ghost);
    REQUIRE(key.has_value());
    CHECK(key->charset == "latin1");
    CHECK(key->ghost_charset == "utf8mb4");
    CHECK(key->ghost_collation == "utf8mb4_bin");

    for (const std::string type : {"float", "double", "json", "point", "geometry", "vector", "unheard_of"}) {
        CAPTURE(type);
        column.data_type = type;
        const auto refused = key_column_of(column, ghost);
        REQUIRE(refused.has_error());
        CHECK(refused.error().code == "unsupported_key_type");
        CHECK(refused.error().message.find("`k`") != std::string::npos);
    }
}

// Key values decoded from recorded rows are the values that the server selects from the table.

#include "tests/unit/binlog/fixture.hpp"

#include "tests/support/catch.hpp"

#include "protocol/binlog/value/key_value.hpp"

#include <map>

namespace sluice::binlog::test {

namespace {

std::string as_selected(const key_value& value) {
    struct to_text {
        key_kind kind;
        std::string operator()(std::monostate) const { return "NULL"; }
        std::string operator()(std::int64_t number) const { return "=" + std::to_string(number); }
        std::string operator()(std::uint64_t number) const { return "=" + std::to_string(number); }
        std::string operator()(const std::string& text) const {
            if (kind != key_kind::bytes) return "=" + text;
            constexpr std::string_view digits = "0123456789ABCDEF";
            std::string hex = "=";
            for (const char c : text) {
                hex += digits[static_cast<unsigned char>(c) >> 4];
                hex += digits[static_cast<unsigned char>(c) & 0xF];
            }
            return hex;
        }
    };
    return std::visit(to_text{value.kind}, value.value);
}

struct expected_value {
    std::string kind;
    bool is_unsigned = false;
    std::string text;
};

using expected_values = std::map<std::pair<std::size_t, std::size_t>, expected_value>;

expected_values load_expected(const std::string& name) {
    expected_values values;
    for (const auto& line : load_table(name + ".values")) {
        values[{std::stoul(line.at(0)), std::stoul(line.at(1))}] = {line.at(2), line.at(3) == "1", line.at(4)};
    }
    return values;
}

void check_row(const rows_event& event, const row_image& image, std::size_t row, const expected_values& expected) {
    const auto last = event.table->columns.size() - 1;
    REQUIRE(image.size() == last + 1);
    for (std::size_t column = 1; column < last; ++column) {
        const auto& wanted = expected.at({row, column});
        INFO("row " << row << " column " << column << " of kind " << wanted.kind);
        REQUIRE(image[column].state != cell_state::missing);
        REQUIRE((image[column].state == cell_state::null) == (wanted.text == "NULL"));
        if (wanted.text == "NULL") continue;
        auto type = event.table->columns[column].type;
        if (event.table->metadata.has_signedness &&
            (wanted.kind == "decimal" || wanted.kind.find("integer") != std::string::npos)) {
            CHECK(type.is_unsigned == wanted.is_unsigned);
        }
        type.is_unsigned = wanted.is_unsigned;
        const auto value = decode_key_value(type, image[column].bytes);
        INFO((value ? "" : value.error().what));
        REQUIRE(value);
        CHECK(key_kind_name(value->kind) == wanted.kind);
        CHECK(as_selected(*value) == wanted.text);
    }
    const auto tail = decode_key_value(event.table->columns[last].type, image[last].bytes);
    REQUIRE(tail);
    CHECK(tail->signed_integer() == 0x5A5A5A5A);
}

}  // namespace

TEST_CASE("key values of recorded rows are what the server selects", "[binlog]") {
    for (const auto* name :
         {"mysql97/key_types", "mysql56/key_types", "mariadb1011/key_types", "mariadb1011/old_temporals"}) {
        INFO(name);
        const auto log = load_recorded_log(name);
        const auto expected = load_expected(name);
        std::size_t row = 0;
        for_each_row(log, [&](const decoded_event&, const rows_event& rows, const row_cursor& cursor) {
            check_row(rows, cursor.after(), row++, expected);
        });
        CHECK(row == 6);
    }
}

TEST_CASE("the old temporal types occur in the recorded logs", "[binlog]") {
    const auto log = load_recorded_log("mariadb1011/old_temporals");
    event_decoder decoder;
    std::vector<field_type> types;
    for (const auto& event : decode_all(log, decoder)) {
        if (const auto* map = std::get_if<table_map_event>(&event.body)) {
            types.clear();
            for (const auto& column : map->table->columns) types.push_back(column.type.type);
        }
    }
    CHECK(types == std::vector{field_type::long_int, field_type::time, field_type::datetime, field_type::timestamp,
                               field_type::long_int});
}

}  // namespace sluice::binlog::test

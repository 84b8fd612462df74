#include "protocol/binlog/coordinates.hpp"

#include "tests/support/catch.hpp"

namespace sluice::binlog::test {

TEST_CASE("file numbers", "[binlog]") {
    struct {
        const char* name;
        std::optional<std::uint64_t> number;
    } const table[] = {
        {"binlog.000123", 123},      {"a.b.7", 7},
        {"binlog.1000000", 1000000}, {"binlog", std::nullopt},
        {"binlog.", std::nullopt},   {"binlog.12x", std::nullopt},
        {"", std::nullopt},          {"binlog.99999999999999999999999", std::nullopt},
    };
    for (const auto& row : table) {
        INFO(row.name);
        CHECK(file_number(row.name) == row.number);
    }
}

TEST_CASE("coordinates compare by number, not as text", "[binlog]") {
    using order = std::partial_ordering;
    struct {
        coordinates left;
        coordinates right;
        order expected;
    } const table[] = {
        {{"b.000001", 4}, {"b.000001", 4}, order::equivalent}, {{"b.000001", 4}, {"b.000001", 5}, order::less},
        {{"b.000001", 900}, {"b.000002", 4}, order::less},     {{"b.1000000", 4}, {"b.999999", 4}, order::greater},
        {{"b.000007", 4}, {"b.7", 4}, order::equivalent},      {{"a.000001", 4}, {"b.000002", 4}, order::unordered},
        {{"noname", 4}, {"noname", 5}, order::less},           {{"noname", 4}, {"other", 4}, order::unordered},
        {{"", 0}, {"b.000001", 4}, order::unordered},
    };
    for (const auto& row : table) {
        INFO(row.left.to_string() << " and " << row.right.to_string());
        CHECK((row.left <=> row.right) == row.expected);
        CHECK((row.right <=> row.left) == (0 <=> row.expected));
        CHECK((row.left == row.right) == (row.expected == order::equivalent));
    }
}

TEST_CASE("the position goes on over 4 GiB", "[binlog]") {
    position_tracker tracker;
    const auto take = [&tracker](std::uint32_t end, std::uint16_t flags = 0) {
        event_header header;
        header.end_position = end;
        header.flags = flags;
        tracker.advance(header);
        return tracker.current().position;
    };
    tracker.reset({"binlog.000001", 4});
    CHECK(take(0xFFFFFF00) == 0xFFFFFF00);
    CHECK(take(0) == 0xFFFFFF00);
    CHECK(take(0x00000100) == 0x100000100);
    CHECK(take(0x40000000) == 0x140000000);
    // A made-up event that repeats an earlier position does not move the stream back, nor around.
    CHECK(take(0x3FFFFF00) == 0x140000000);
    CHECK(take(0x50000000, event_flag::artificial) == 0x140000000);
    CHECK(take(0xF0000000) == 0x1F0000000);
    CHECK(take(0x00000004) == 0x200000004);

    tracker.reset({"binlog.000002", 0x300000000});
    CHECK(take(0x00000200) == 0x300000200);
    CHECK(tracker.current().file_name == "binlog.000002");
}

}  // namespace sluice::binlog::test

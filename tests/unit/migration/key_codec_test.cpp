#include "migration/apply/key_codec.hpp"
#include "tests/support/catch.hpp"

using namespace sluice;
using binlog::key_kind;
using binlog::key_value;

namespace {

key_value integer(std::int64_t value) { return {key_kind::signed_integer, value}; }
key_value natural(std::uint64_t value) { return {key_kind::unsigned_integer, value}; }
key_value bytes(std::string value) { return {key_kind::bytes, std::move(value)}; }
key_value datetime(std::string value) { return {key_kind::datetime, std::move(value)}; }

std::string ordered(const std::vector<key_value>& values) {
    std::string order;
    for (const auto& value : values) migration::append_ordered(order, value);
    return order;
}

}  // namespace

TEST_CASE("the order of encoded keys is the server's order of the keys") {
    using namespace std::string_literals;
    // Each list ascends as ORDER BY on the server gives it.
    const std::vector<std::vector<std::vector<key_value>>> lists{
        {{integer(INT64_MIN)}, {integer(-70000)}, {integer(-1)}, {integer(0)}, {integer(1)}, {integer(INT64_MAX)}},
        {{natural(0)}, {natural(255)}, {natural(256)}, {natural(UINT64_MAX / 2)}, {natural(UINT64_MAX)}},
        {{bytes("")},
         {bytes("\0"s)},
         {bytes("\0\0"s)},
         {bytes("\0\x01"s)},
         {bytes("\x01"s)},
         {bytes("a")},
         {bytes("a\0"s)},
         {bytes("ab")},
         {bytes("\xff")}},
        {{datetime("0000-00-00 00:00:00.000000")},
         {datetime("2024-01-31 23:59:59.999999")},
         {datetime("2024-02-01 00:00:00.000000")}},
        {{integer(1), bytes("z")}, {integer(2), bytes("")}, {integer(2), bytes("\0"s)}, {integer(2), bytes("a")}},
        {{bytes("a"), integer(5)},
         {bytes("a\0"s), integer(-5)},
         {bytes("ab"), integer(-9)},
         {bytes("b"), integer(-100)}},
    };
    for (const auto& list : lists) {
        for (std::size_t i = 0; i < list.size(); ++i) {
            for (std::size_t j = 0; j < list.size(); ++j) {
                INFO(i << " and " << j);
                CHECK((ordered(list[i]) < ordered(list[j])) == (i < j));
            }
        }
    }
}

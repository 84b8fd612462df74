// What a query event says of its session and of the schemas that its statement had to do with.

#include "protocol/binlog/query_variables.hpp"
#include "tests/support/catch.hpp"

#include <string>

namespace sluice::binlog {
namespace {

using namespace std::string_literals;

query_variables read(const std::string& variables) {
    query_event event;
    event.status_variables = protocol::as_bytes(variables);
    return query_variables::of(event);
}

const std::string flags = "\0\0\0\0\0"s;
const std::string mode = "\1\4\0\x10\0\0\0\0\0"s;  // ANSI_QUOTES, NO_BACKSLASH_ESCAPES
const std::string catalog = "\6\3std"s;
const std::string charset = "\4\x1c\0\x1c\0\x1c\0"s;  // gbk_chinese_ci
const std::string zone = "\5\6SYSTEM"s;
const std::string invoker = "\xb\1a\2bc"s;

}  // namespace

TEST_CASE("a query event tells of its session's dialect and of all schemas") {
    const query_variables told =
        read(flags + mode + catalog + "\3\1\0\1\0"s + charset + zone + "\7\1\0"s + "\x8\x1c\0"s +
             "\x9\0\0\0\0\0\0\0\0"s + "\xa\1\2\3\4"s + invoker + "\xc\2shop\0other\0"s + "\xd\1\2\3"s);
    CHECK(told.ansi_quotes);
    CHECK(told.no_backslash_escapes);
    CHECK(told.client_collation == 28);
    REQUIRE(told.schemas);
    CHECK(*told.schemas == std::vector<std::string_view>{"shop", "other"});
}

TEST_CASE("what a query event does not tell of schemas, or cannot be read, is not told") {
    CHECK_FALSE(read({}).schemas);
    CHECK_FALSE(read(flags + mode).schemas);
    CHECK(read(flags + mode).ansi_quotes);
    CHECK_FALSE(read(flags + "\xc\xfe"s).schemas);          // too many, or cascades
    CHECK_FALSE(read(flags + "\xc\2shop\0othe"s).schemas);  // cut
    CHECK_FALSE(read(flags + "\xc"s).schemas);
    CHECK_FALSE(read("\x80\1\2\3\xc\1shop\0"s).schemas);  // behind one that nobody knows
    CHECK_FALSE(read("\5\x40SYSTEM"s).schemas);           // longer than there is
    REQUIRE(read(flags + "\xc\0"s).schemas);
    CHECK(read(flags + "\xc\0"s).schemas->empty());
    CHECK_FALSE(read("\1\0\0\0\0\0\0\0\0"s).ansi_quotes);
}

}  // namespace sluice::binlog

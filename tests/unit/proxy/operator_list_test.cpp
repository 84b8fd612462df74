#include "proxy/net/operator_list.hpp"

#include "tests/support/catch.hpp"

#include <string>

namespace {

using sluice::protocol::stream_address;
using sluice::protocol::stream_kind;
using sluice::proxy::operator_list;

stream_address at(const char* address) { return {stream_kind::ip, *sluice::protocol::parse_ip_address(address), 4000}; }

operator_list list_of(const std::vector<std::string>& entries) {
    auto parsed = operator_list::parse(entries);
    REQUIRE(parsed.has_value());
    return *parsed;
}

}  // namespace

TEST_CASE("operators: by user and by where they come from", "[operators]") {
    const stream_address near = at("10.1.2.3");
    const stream_address far = at("192.0.2.1");
    const auto list = list_of({"dba@%", "ops@10.0.0.0/8", "o@d@192.0.2.1"});
    CHECK(list.contains("dba", near));
    CHECK(list.contains("dba", far));
    CHECK(list.contains("ops", near));
    CHECK_FALSE(list.contains("ops", far));
    CHECK(list.contains("o@d", far));
    CHECK_FALSE(list.contains("DBA", near));  // the server tells users apart by case
    CHECK_FALSE(list.contains("", near));
    CHECK_FALSE(list_of({}).contains("dba", near));
}

TEST_CASE("operators: what is no entry is named", "[operators]") {
    for (const char* bad : {"dba", "@%", "dba@", "dba@10.0.0.0/99", "dba@somewhere", "%"}) {
        CAPTURE(bad);
        const auto parsed = operator_list::parse({"dba@%", bad});
        REQUIRE(parsed.has_error());
        CHECK(parsed.error().find(bad) != std::string::npos);
    }
}

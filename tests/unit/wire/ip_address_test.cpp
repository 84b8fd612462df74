#include "protocol/wire/ip_address.hpp"
#include "tests/support/catch.hpp"

using namespace sluice::protocol;

TEST_CASE("addresses are read in every form and written in the shortest", "[ip_address]") {
    struct row {
        const char* text;
        const char* written;  // nullptr: refused
    };
    const row rows[] = {
        {"127.0.0.1", "127.0.0.1"},
        {"0.0.0.0", "0.0.0.0"},
        {"255.255.255.255", "255.255.255.255"},
        {"::", "::"},
        {"::1", "::1"},
        {"1::", "1::"},
        {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
        {"2001:db8::1:0:0:1", "2001:db8::1:0:0:1"},
        {"2001:db8:0:1:0:0:0:1", "2001:db8:0:1::1"},
        {"1:0:0:2:0:0:3:4", "1::2:0:0:3:4"},
        {"1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"},
        {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
        {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
        {"::ffff:10.0.0.1", "::ffff:10.0.0.1"},
        {"::ffff:a00:1", "::ffff:10.0.0.1"},
        {"1:2:3:4:5:6:10.0.0.1", "1:2:3:4:5:6:a00:1"},
        {"", nullptr},
        {"1.2.3", nullptr},
        {"1.2.3.4.5", nullptr},
        {"1.2.3.", nullptr},
        {"1.2.3.256", nullptr},
        {"1.2.3.04", nullptr},
        {"1.2.3.-4", nullptr},
        {"1.2.3.4 ", nullptr},
        {"localhost", nullptr},
        {":", nullptr},
        {":::", nullptr},
        {"1:", nullptr},
        {":1", nullptr},
        {"1::2::3", nullptr},
        {"1:2:3:4:5:6:7", nullptr},
        {"1:2:3:4:5:6:7:8:9", nullptr},
        {"1:2:3:4::5:6:7:8", nullptr},
        {"1:2:3:4:5:6:7:8::", nullptr},
        {"12345::", nullptr},
        {"g::", nullptr},
        {"-1::", nullptr},
        {"fe80::1%eth0", nullptr},
        {"[::1]", nullptr},
        {"1.2.3.4::", nullptr},
        {"::1.2.3", nullptr},
        {"::1.2.3.4:5", nullptr},
        {"1:2:3:4:5:6:7:1.2.3.4", nullptr},
    };
    for (const row& r : rows) {
        CAPTURE(r.text);
        const auto parsed = parse_ip_address(r.text);
        REQUIRE(parsed.has_value() == (r.written != nullptr));
        if (!parsed) continue;
        CHECK(to_text(*parsed) == r.written);
        CHECK(parse_ip_address(to_text(*parsed)) == parsed);
    }
}

TEST_CASE("an IPv4 address is found in its IPv6 form", "[ip_address]") {
    CHECK(unmapped(*parse_ip_address("::ffff:10.1.2.3")) == *parse_ip_address("10.1.2.3"));
    CHECK(unmapped(*parse_ip_address("::10.1.2.3")) == *parse_ip_address("::10.1.2.3"));
    CHECK(unmapped(*parse_ip_address("10.1.2.3")) == *parse_ip_address("10.1.2.3"));
}

TEST_CASE("ends of streams are written for people", "[ip_address]") {
    CHECK(to_text(stream_address{stream_kind::ip, *parse_ip_address("10.0.0.1"), 4711}) == "10.0.0.1:4711");
    CHECK(to_text(stream_address{stream_kind::ip, *parse_ip_address("::1"), 0}) == "[::1]:0");
    CHECK(to_text(stream_address{stream_kind::local_socket, {}, 0}) == "localhost");
    CHECK(to_text(stream_address{}) == "?");
}

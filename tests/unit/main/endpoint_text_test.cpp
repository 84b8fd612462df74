#include "proxy/main/endpoint_text.hpp"
#include "tests/support/catch.hpp"

using namespace sluice;

TEST_CASE("host:port is read and written", "[endpoint_text]") {
    struct row {
        const char* text;
        const char* host;  // nullptr: refused
        std::uint16_t port;
    };
    const row rows[] = {
        {"127.0.0.1:3306", "127.0.0.1", 3306},
        {"[::1]:65535", "::1", 65535},
        {"db.example:0", "db.example", 0},
        {"", nullptr, 0},
        {":1", nullptr, 0},
        {"host", nullptr, 0},
        {"host:", nullptr, 0},
        {"host:65536", nullptr, 0},
        {"host:-1", nullptr, 0},
        {"host:1x", nullptr, 0},
        {"::1:3306", nullptr, 0},
        {"[]:1", nullptr, 0},
        {"[::1]", nullptr, 0},
        {"a b:1", nullptr, 0},
        {"host:99999999999999999999", nullptr, 0},
    };
    for (const row& r : rows) {
        CAPTURE(r.text);
        const auto parsed = parse_endpoint(r.text);
        REQUIRE(parsed.has_value() == (r.host != nullptr));
        if (!parsed) continue;
        CHECK(parsed->host == r.host);
        CHECK(parsed->port == r.port);
        CHECK(to_text(*parsed) == r.text);
    }
}

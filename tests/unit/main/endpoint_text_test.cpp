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

TEST_CASE("places to listen on are addresses or sockets", "[endpoint_text]") {
    const auto v6 = parse_listen_endpoint("[::]:6033");
    REQUIRE(v6.has_value());
    CHECK(v6->address == "::");
    CHECK(v6->port == 6033);
    CHECK(v6->unix_path.empty());
    const auto local = parse_listen_endpoint("localhost:0");
    REQUIRE(local.has_value());
    CHECK(local->address == "127.0.0.1");
    const auto socket = parse_listen_endpoint("unix:/run/a:1.sock");
    REQUIRE(socket.has_value());
    CHECK(socket->unix_path == "/run/a:1.sock");
    CHECK(parse_listen_endpoint("unix:/" + std::string(106, 'p')).has_value());
    for (const auto& text : {std::string("unix:"), "unix:/" + std::string(107, 'p'), std::string("unix:/a\0b", 9),
                             std::string("db.example:1"), std::string("/run/a.sock"), std::string()}) {
        CAPTURE(text);
        CHECK(parse_listen_endpoint(text).has_error());
    }
}

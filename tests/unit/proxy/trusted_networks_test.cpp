#include "proxy/net/trusted_networks.hpp"
#include "tests/support/catch.hpp"

using namespace sluice;
using protocol::stream_address;
using protocol::stream_kind;

namespace {

stream_address from(const char* ip) { return {stream_kind::ip, *protocol::parse_ip_address(ip), 1}; }

}  // namespace

TEST_CASE("trusted networks know their addresses", "[trusted_networks]") {
    const auto networks = proxy::trusted_networks::parse(
        {"10.0.0.0/8", "192.168.1.7", "172.16.0.128/25", "::1", "2001:db8:8000::/33", "198.51.100.0/31"});
    REQUIRE(networks.has_value());
    for (const char* inside : {"10.0.0.0", "10.255.255.255", "192.168.1.7", "172.16.0.128", "172.16.0.255", "::1",
                               "2001:db8:8000::", "2001:db8:ffff::1", "198.51.100.1", "::ffff:10.1.2.3"}) {
        CAPTURE(inside);
        CHECK(networks->contains(from(inside)));
    }
    for (const char* outside : {"11.0.0.0", "9.255.255.255", "192.168.1.8", "192.168.1.6", "172.16.0.127", "::2",
                                "::", "2001:db8:7fff:ffff::", "198.51.100.2", "::ffff:11.0.0.1", "0.0.0.1", "a00::"}) {
        CAPTURE(outside);
        CHECK_FALSE(networks->contains(from(outside)));
    }
    CHECK_FALSE(networks->contains({stream_kind::local_socket, {}, 0}));
    CHECK_FALSE(networks->contains({}));
}

TEST_CASE("the widest networks hold their family alone", "[trusted_networks]") {
    const auto v4 = proxy::trusted_networks::parse({"0.0.0.0/0"});
    const auto v6 = proxy::trusted_networks::parse({"::/0"});
    REQUIRE(v4.has_value());
    REQUIRE(v6.has_value());
    CHECK(v4->contains(from("203.0.113.9")));
    CHECK_FALSE(v4->contains(from("::1")));
    CHECK(v6->contains(from("2001:db8::1")));
    CHECK_FALSE(v6->contains(from("203.0.113.9")));
    CHECK_FALSE(v6->contains(from("::ffff:203.0.113.9")));
    CHECK_FALSE(v6->contains({}));
}

TEST_CASE("Unix sockets are trusted by their word only", "[trusted_networks]") {
    const auto none = proxy::trusted_networks::parse({});
    const auto unix_sockets = proxy::trusted_networks::parse({"unix"});
    REQUIRE(none.has_value());
    REQUIRE(unix_sockets.has_value());
    CHECK_FALSE(none->contains({stream_kind::local_socket, {}, 0}));
    CHECK_FALSE(none->contains(from("127.0.0.1")));
    CHECK(unix_sockets->contains({stream_kind::local_socket, {}, 0}));
    CHECK_FALSE(unix_sockets->contains(from("127.0.0.1")));
}

TEST_CASE("what is no network is named", "[trusted_networks]") {
    for (const char* entry : {"", "localhost", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8x", "10.0.0.1/8",
                              "::1/129", "::1/127", "10.0.0.0/8/8", "Unix", "*", "/8"}) {
        CAPTURE(entry);
        const auto parsed = proxy::trusted_networks::parse({"::1", entry});
        REQUIRE(parsed.has_error());
        CHECK_THAT(parsed.error(), Catch::Matchers::Contains("\"" + std::string(entry) + "\""));
    }
}

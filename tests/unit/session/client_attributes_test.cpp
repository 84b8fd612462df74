#include "proxy/session/client_attributes.hpp"
#include "tests/support/catch.hpp"

using namespace sluice;
using protocol::connect_attributes;
using protocol::stream_address;
using protocol::stream_kind;
using session::attribute_bytes_max;
using session::client_attributes;
using session::with_client_attributes;

namespace {

connect_attributes read(const std::string& block) {
    auto pairs = protocol::parse_attributes(block);
    REQUIRE(pairs.has_value());
    return std::move(*pairs);
}

const connect_attributes own{{"_client_ip", "10.0.0.1"}, {"_client_port", "4711"}};

}  // namespace

TEST_CASE("a client on TCP is told with address and port", "[client_attributes]") {
    CHECK(client_attributes({stream_kind::ip, *protocol::parse_ip_address("10.0.0.1"), 4711}) == own);
    CHECK(client_attributes({stream_kind::ip, *protocol::parse_ip_address("2001:db8::1"), 1}) ==
          connect_attributes{{"_client_ip", "2001:db8::1"}, {"_client_port", "1"}});
    CHECK(client_attributes({stream_kind::local_socket, {}, 0}).empty());
    CHECK(client_attributes({}).empty());
}

TEST_CASE("Sluice's attributes come first, the client's follow in their order", "[client_attributes]") {
    struct row {
        const char* name;
        connect_attributes sent;
        connect_attributes own;
        connect_attributes made;
    };
    const row rows[] = {
        {"none", {}, own, own},
        {"none at all", {}, {}, {}},
        {"some", {{"b", "2"}, {"a", "1"}, {"", ""}}, own, {own[0], own[1], {"b", "2"}, {"a", "1"}, {"", ""}}},
        {"a false address",
         {{"_client_ip", "6.6.6.6"}, {"a", "1"}, {"_client_port", "6"}, {"_client_ip", ""}},
         own,
         {own[0], own[1], {"a", "1"}}},
        {"a false address from a Unix socket", {{"_client_ip", "6.6.6.6"}, {"a", "1"}}, {}, {{"a", "1"}}},
        {"names that are only alike",
         {{"_client_ip ", "x"}, {"_client_IP", "y"}, {"client_ip", "z"}},
         {},
         {{"_client_ip ", "x"}, {"_client_IP", "y"}, {"client_ip", "z"}}},
        {"a long value", {{"a", std::string(7'000, 'x')}}, own, {own[0], own[1], {"a", std::string(7'000, 'x')}}},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        CHECK(read(with_client_attributes(protocol::serialise_attributes(r.sent), r.own)) == r.made);
    }
}

TEST_CASE("of a malformed block what precedes the fault is kept", "[client_attributes]") {
    const std::string good = protocol::serialise_attributes({{"a", "1"}});
    for (const std::string& fault : {std::string("\x05"
                                                 "abc"),
                                     std::string("\x01"
                                                 "b"),
                                     std::string("\x01"
                                                 "b\xff"),
                                     std::string("\xfe\xff\xff\xff\xff\xff\xff\xff\xff", 9), std::string("\xfb")}) {
        CHECK(read(with_client_attributes(good + fault, own)) == connect_attributes{own[0], own[1], {"a", "1"}});
    }
}

TEST_CASE("a block stays within what servers take", "[client_attributes]") {
    const auto block_of = [](std::size_t size) {
        // Two pairs; the last one's value fills it up.
        auto block = protocol::serialise_attributes({{"first", "1"}, {"last", std::string(size - 16, 'x')}});
        REQUIRE(block.size() == size);
        return block;
    };
    const auto added = protocol::serialise_attributes(own).size();
    const auto fits = block_of(attribute_bytes_max - added);
    CHECK(with_client_attributes(fits, own) == protocol::serialise_attributes(own) + fits);
    const auto made = read(with_client_attributes(block_of(attribute_bytes_max - added + 1), own));
    CHECK(made == connect_attributes{own[0], own[1], {"first", "1"}});
    const auto over = block_of(attribute_bytes_max + 1);
    CHECK(with_client_attributes(over, own) == over);
}

#include "protocol/wire/proxy_header.hpp"
#include "tests/support/catch.hpp"

#include <string>

using namespace sluice::protocol;

namespace {

const std::string signature("\r\n\r\n\0\r\nQUIT\n", 12);

/// Version 2: command byte, family byte, a block of addresses and extensions.
std::string binary(int command, int family, const std::string& block) {
    return signature + static_cast<char>(command) + static_cast<char>(family) + static_cast<char>(block.size() >> 8U) +
           static_cast<char>(block.size() & 0xFFU) + block;
}

const std::string ipv4_block("\x0a\x00\x00\x01\xc0\xa8\x01\x07\x12\x67\x0c\xea", 12);  // 4711 -> 3306
const std::string ipv6_block =
    std::string(15, '\0') + "\1" + "\x20\x01\x0d\xb8" + std::string(11, '\0') + "\2" + "\x12\x67\x0c\xea";

struct ends {
    const char* name;
    std::string bytes;
    const char* source;
    const char* destination;
};

const ends whole_headers[] = {
    {"text, IPv4", "PROXY TCP4 10.0.0.1 192.168.1.7 4711 3306\r\n", "10.0.0.1:4711", "192.168.1.7:3306"},
    {"text, IPv6", "PROXY TCP6 ::1 2001:db8::2 4711 3306\r\n", "[::1]:4711", "[2001:db8::2]:3306"},
    {"text, IPv4 in IPv6", "PROXY TCP6 ::ffff:10.0.0.1 ::1 0 65535\r\n", "[::ffff:10.0.0.1]:0", "[::1]:65535"},
    {"text, longest",
     "PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
     "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535", "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"},
    {"text, unknown", "PROXY UNKNOWN\r\n", "?", "?"},
    {"text, unknown with words", "PROXY UNKNOWN any words at all\r\n", "?", "?"},
    {"text, unknown, longest", "PROXY UNKNOWN " + std::string(91, 'x') + "\r\n", "?", "?"},
    {"binary, IPv4", binary(0x21, 0x11, ipv4_block), "10.0.0.1:4711", "192.168.1.7:3306"},
    {"binary, IPv6", binary(0x21, 0x21, ipv6_block), "[::1]:4711", "[2001:db8::2]:3306"},
    {"binary, Unix", binary(0x21, 0x31, std::string(216, 'p')), "localhost", "localhost"},
    {"binary, unspecified", binary(0x21, 0x00, ""), "?", "?"},
    {"binary, unspecified with a block", binary(0x21, 0x00, "whatever"), "?", "?"},
    {"binary, local", binary(0x20, 0x00, ""), "?", "?"},
    {"binary, local with addresses", binary(0x20, 0x11, ipv4_block), "?", "?"},
    {"binary, local of a family nobody knows", binary(0x20, 0x77, "xy"), "?", "?"},
    {"binary, extensions", binary(0x21, 0x11, ipv4_block + std::string("\x04\x00\x03pad\xea\x00\x01x", 10)),
     "10.0.0.1:4711", "192.168.1.7:3306"},
    {"binary, longest", binary(0x21, 0x11, ipv4_block + std::string(proxy_header_size_max - 28, 'e')), "10.0.0.1:4711",
     "192.168.1.7:3306"},
};

}  // namespace

TEST_CASE("a PROXY header is read, byte by byte, and nothing behind it", "[proxy_header]") {
    for (const ends& c : whole_headers) {
        CAPTURE(c.name);
        const std::string stream = c.bytes + "PROXY behind";
        for (std::size_t size = 0; size <= stream.size(); ++size) {
            // In memory of its own, so that a read past its end is seen.
            const byte_buffer seen = to_buffer(std::string_view(stream).substr(0, size));
            const auto read = parse_proxy_header(seen);
            REQUIRE(read.has_value());
            REQUIRE(read->has_value() == (size >= c.bytes.size()));
            if (!*read) continue;
            CHECK((*read)->size == c.bytes.size());
            CHECK(to_text((*read)->header.source) == c.source);
            CHECK(to_text((*read)->header.destination) == c.destination);
        }
    }
}

TEST_CASE("what cannot become a PROXY header is refused at the byte that shows it", "[proxy_header]") {
    struct row {
        const char* name;
        std::string bytes;
        std::size_t accepted;  // so many bytes of it may still become one
        wire_errc code;
    };
    const row rows[] = {
        {"a login", std::string("\x20\0\0\1", 4), 0, wire_errc::malformed},
        {"HTTP", "POST / HTTP/1.1\r\n", 1, wire_errc::malformed},
        {"small letters", "proxy TCP4", 0, wire_errc::malformed},
        {"no space", "PROXYTCP4", 5, wire_errc::malformed},
        {"no family", "PROXY \r\n", 7, wire_errc::malformed},
        {"UDP", "PROXY UDP4 1.1.1.1 1.1.1.1 1 1\r\n", 31, wire_errc::malformed},
        {"no addresses", "PROXY TCP4\r\n", 11, wire_errc::malformed},
        {"one port", "PROXY TCP4 1.1.1.1 1.1.1.1 1\r\n", 29, wire_errc::malformed},
        {"three ports", "PROXY TCP4 1.1.1.1 1.1.1.1 1 1 1\r\n", 33, wire_errc::malformed},
        {"two spaces", "PROXY TCP4  1.1.1.1 1.1.1.1 1 1\r\n", 32, wire_errc::malformed},
        {"a space at the end", "PROXY TCP4 1.1.1.1 1.1.1.1 1 1 \r\n", 32, wire_errc::malformed},
        {"IPv6 as TCP4", "PROXY TCP4 ::1 ::1 1 1\r\n", 23, wire_errc::malformed},
        {"IPv4 as TCP6", "PROXY TCP6 ::1 1.1.1.1 1 1\r\n", 27, wire_errc::malformed},
        {"a name", "PROXY TCP4 host 1.1.1.1 1 1\r\n", 28, wire_errc::malformed},
        {"port over 65535", "PROXY TCP4 1.1.1.1 1.1.1.1 65536 1\r\n", 35, wire_errc::malformed},
        {"port with a zero in front", "PROXY TCP4 1.1.1.1 1.1.1.1 01 1\r\n", 32, wire_errc::malformed},
        {"port below zero", "PROXY TCP4 1.1.1.1 1.1.1.1 -1 1\r\n", 32, wire_errc::malformed},
        {"line feed alone", "PROXY UNKNOWN\n", 13, wire_errc::malformed},
        {"carriage return in the line", "PROXY UNKNOWN\rx\r\n", 14, wire_errc::malformed},
        {"carriage return in a line of 108 bytes", "PROXY UNKNOWN\r" + std::string(94, 'x'), 14, wire_errc::malformed},
        {"a line of 108 bytes", "PROXY UNKNOWN " + std::string(92, 'x') + "\r\n", 106, wire_errc::too_large},
        {"version 1 in binary", signature + '\x11', 12, wire_errc::malformed},
        {"version 3", signature + '\x31', 12, wire_errc::malformed},
        {"command 2", signature + '\x22', 12, wire_errc::malformed},
        {"UDP, binary", binary(0x21, 0x12, ipv4_block), 27, wire_errc::malformed},
        {"a family nobody knows", binary(0x21, 0x41, ipv4_block), 27, wire_errc::malformed},
        {"too short for IPv4", binary(0x21, 0x11, ipv4_block.substr(1)), 26, wire_errc::malformed},
        {"too short for IPv6", binary(0x21, 0x21, ipv6_block.substr(1)), 50, wire_errc::malformed},
        {"too short for Unix", binary(0x21, 0x31, std::string(215, 'p')), 230, wire_errc::malformed},
        {"4097 bytes", signature + "\x21\x11\x0f\xf1", 15, wire_errc::too_large},
        {"a length of 64 KiB", signature + "\x21\x11\xff\xff", 15, wire_errc::too_large},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        for (std::size_t size = 0; size <= r.bytes.size(); ++size) {
            CAPTURE(size);
            const byte_buffer seen = to_buffer(std::string_view(r.bytes).substr(0, size));
            const auto read = parse_proxy_header(seen);
            REQUIRE(read.has_value() == (size <= r.accepted));
            if (read.has_value()) {
                CHECK_FALSE(read->has_value());
            } else {
                CHECK(read.error().code == r.code);
                CHECK_FALSE(std::string(read.error().what).empty());
            }
        }
    }
}

TEST_CASE("a PROXY header is written as version 2", "[proxy_header]") {
    const auto end = [](const char* ip, std::uint16_t port) {
        return stream_address{stream_kind::ip, *parse_ip_address(ip), port};
    };
    const stream_address local{stream_kind::local_socket, {}, 0};
    struct row {
        proxy_header header;
        std::string bytes;
    };
    const std::string mixed_block = std::string(10, '\0') + "\xff\xff\x0a" + std::string("\0\0\1", 3) +
                                    std::string(15, '\0') + "\1\x12\x67\x0c\xea";
    const row rows[] = {
        {{end("10.0.0.1", 4711), end("192.168.1.7", 3306)}, binary(0x21, 0x11, ipv4_block)},
        {{end("::1", 4711), end("2001:db8::2", 3306)}, binary(0x21, 0x21, ipv6_block)},
        {{end("10.0.0.1", 4711), end("::1", 3306)}, binary(0x21, 0x21, mixed_block)},
        {{local, local}, binary(0x20, 0x00, "")},
        {{}, binary(0x20, 0x00, "")},
        {{end("10.0.0.1", 4711), {}}, binary(0x20, 0x00, "")},
        {{end("10.0.0.1", 4711), local}, binary(0x20, 0x00, "")},
    };
    for (const row& r : rows) {
        byte_buffer out;
        serialise(out, r.header);
        CHECK(to_string(out) == r.bytes);
        const auto read = parse_proxy_header(out);
        REQUIRE(read.has_value());
        REQUIRE(read->has_value());
        CHECK((*read)->size == out.size());
    }
}

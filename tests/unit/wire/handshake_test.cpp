#include "protocol/message/handshake.hpp"

#include "tests/unit/wire/wire_support.hpp"

using namespace sluice::protocol;
using namespace sluice::protocol::test;

namespace {

// Greetings as three servers sent them.
constexpr std::string_view greeting_9_7 =
    "0a392e372e342d3200080000000b542e7b737e457e00ffffff0200ffdf1500000000000000000000564d1d5b534b2c37364b706900636163"
    "68696e675f736861325f70617373776f726400";
constexpr std::string_view greeting_mariadb =
    "0a352e352e352d31302e31312e31392d4d6172696144422d302b646562313275310003000000253372647c676b6600fef7080200ff811500"
    "00000000001d0000003f46247c68732b76343d765c006d7973716c5f6e61746976655f70617373776f726400";
constexpr std::string_view greeting_5_6 =
    "0a352e362e323400010000003b625d2e6742504b00fff70802007f8015000000000000000000006641504f7d4628315e656035006d797371"
    "6c5f6e61746976655f70617373776f726400";

void write_greeting(byte_buffer& out, const server_greeting& greeting) { serialise(out, greeting); }

handshake_response full_response() {
    handshake_response response;
    response.capabilities = capability::protocol_41 | capability::long_password | capability::secure_connection |
                            capability::plugin_auth | capability::plugin_auth_lenenc_data |
                            capability::connect_with_db | capability::connect_attrs | capability::zstd_compression;
    response.packet_size_max = 0x01020304;
    response.character_set = 45;
    response.user = "ann";
    response.auth_response = std::string(300, 'p');
    response.database = "shop";
    response.auth_plugin = "caching_sha2_password";
    response.attributes = serialise_attributes({{"_os", "Linux"}, {"empty", ""}});
    response.zstd_level = 7;
    return response;
}

}  // namespace

TEST_CASE("greeting of MySQL 9.7") {
    const auto bytes = from_hex(greeting_9_7);
    const auto greeting = parse_server_greeting(bytes).value();
    CHECK(greeting.server_version == "9.7.4-2");
    CHECK(greeting.connection_id == 8);
    CHECK(greeting.capabilities == 0xDFFFFFFFULL);
    CHECK(greeting.character_set == 255);
    CHECK(greeting.status == server_status::autocommit);
    CHECK(greeting.auth_plugin == "caching_sha2_password");
    CHECK(greeting.auth_data.size() == 21);
    CHECK(to_hex(greeting.scramble()) == "0b542e7b737e457e564d1d5b534b2c37364b7069");
    CHECK(to_hex(bytes_of(greeting)) == greeting_9_7);
}

TEST_CASE("greeting of MariaDB: extended capabilities in the filler") {
    const auto bytes = from_hex(greeting_mariadb);
    auto greeting = parse_server_greeting(bytes).value();
    CHECK(greeting.server_version == "5.5.5-10.11.19-MariaDB-0+deb12u1");
    CHECK((greeting.capabilities & capability::mysql_mask) == 0x81FFF7FEULL);
    CHECK((greeting.capabilities & capability::mariadb_mask) ==
          (capability::mariadb_progress | capability::mariadb_stmt_bulk_operations |
           capability::mariadb_extended_metadata | capability::mariadb_cache_metadata));
    CHECK(greeting.auth_plugin == "mysql_native_password");
    CHECK(to_hex(bytes_of(greeting)) == greeting_mariadb);

    greeting.capabilities &= ~capability::mariadb_progress;
    const auto changed = parse_server_greeting(bytes_of(greeting)).value();
    CHECK(changed.capabilities == greeting.capabilities);
}

TEST_CASE("greeting of MySQL 5.6") {
    const auto bytes = from_hex(greeting_5_6);
    const auto greeting = parse_server_greeting(bytes).value();
    CHECK(greeting.server_version == "5.6.24");
    CHECK(greeting.connection_id == 1);
    CHECK(greeting.capabilities == 0x807FF7FFULL);
    CHECK_FALSE(has(greeting.capabilities, capability::deprecate_eof));
    CHECK(greeting.scramble().size() == scramble_size);
    CHECK(to_hex(bytes_of(greeting)) == greeting_5_6);
}

TEST_CASE("greeting: truncations fail, or are the shorter forms that old servers send") {
    for (const auto hex : {greeting_9_7, greeting_mariadb, greeting_5_6}) {
        const auto bytes = from_hex(hex);
        const auto name_size = parse_server_greeting(bytes).value().auth_plugin.size();
        const auto failed = check_truncations_fail_or_round_trip(bytes, parse_server_greeting, write_greeting);
        // Valid are: the end after the lower capabilities, and every unterminated part of the plugin's name.
        CHECK(failed == bytes.size() - 1 - (name_size + 1));
    }
}

TEST_CASE("greeting: longer scramble, no plugin, trailing bytes") {
    server_greeting greeting;
    greeting.server_version = "x";
    greeting.capabilities = capability::protocol_41 | capability::secure_connection | capability::long_password;
    greeting.auth_data = std::string(8 + 32, 'a');
    greeting.auth_data_size_field = 40;
    greeting.trailing = "later";
    const auto again = parse_server_greeting(bytes_of(greeting)).value();
    CHECK(again.auth_data == greeting.auth_data);
    CHECK(again.scramble().size() == 40);
    CHECK(again.auth_plugin.empty());
    CHECK(again.trailing == "later");
    CHECK(bytes_of(again) == bytes_of(greeting));

    greeting.auth_data.resize(20);
    CHECK_THROWS_AS(bytes_of(greeting), sluice::assertion_failure);
}

TEST_CASE("greeting: the second part of the scramble has 13 bytes, whatever the size field says") {
    server_greeting greeting;
    greeting.capabilities = capability::protocol_41 | capability::secure_connection | capability::long_password;
    greeting.auth_data.assign(21, 'a');
    greeting.auth_data.back() = '\0';
    greeting.auth_data_size_field = 0;
    const auto bytes = bytes_of(greeting);
    const auto again = parse_server_greeting(bytes).value();
    CHECK(again.scramble() == std::string(20, 'a'));
    CHECK(again.trailing.empty());
    check_truncations_fail(byte_view(bytes).subspan(0, 15), parse_server_greeting);
}

TEST_CASE("greeting: reserved bytes of a MySQL server are no capabilities, and stay") {
    auto bytes = from_hex(greeting_9_7);
    const std::size_t reserved_end = 1 + 8 + 4 + 8 + 1 + 2 + 1 + 2 + 2 + 1 + 10;
    bytes[reserved_end - 4] = std::byte{0x0D};
    const auto greeting = parse_server_greeting(bytes).value();
    CHECK((greeting.capabilities & capability::mariadb_mask) == 0);
    CHECK(bytes_of(greeting) == bytes);
}

TEST_CASE("greeting of another protocol version is refused") {
    const auto bytes = from_hex("09352e3000");
    CHECK(parse_server_greeting(bytes).error().code == wire_errc::unsupported);
}

TEST_CASE("response: all fields round trip") {
    const auto response = full_response();
    const auto bytes = bytes_of(response);
    const auto again = parse_handshake_response(bytes).value();
    CHECK(again.capabilities == response.capabilities);
    CHECK(again.packet_size_max == 0x01020304);
    CHECK(again.character_set == 45);
    CHECK(again.user == "ann");
    CHECK(again.auth_response == response.auth_response);
    CHECK(again.database == "shop");
    CHECK(again.auth_plugin == "caching_sha2_password");
    CHECK(again.zstd_level == 7);
    const auto attributes = parse_attributes(again.attributes).value();
    CHECK(attributes == connect_attributes{{"_os", "Linux"}, {"empty", ""}});
    CHECK(bytes_of(again) == bytes);
}

TEST_CASE("response: truncations fail, or write themselves back") {
    const auto bytes = bytes_of(full_response());
    const auto failed = check_truncations_fail_or_round_trip(
        bytes, parse_handshake_response,
        [](byte_buffer& out, const handshake_response& response) { serialise(out, response); });
    // Valid: the ends after the password, after the database and after the attributes, and 22 beginnings of the name
    // (its terminated form counts as "after"), of which the empty one is the end after the database.
    CHECK(failed == bytes.size() - 1 - 1 - 22 - 1);
}

TEST_CASE("response: the three encodings of the password") {
    struct row {
        capability_flags flags;
        std::string_view expected_hex;
    };
    const auto rows = {
        row{capability::plugin_auth_lenenc_data | capability::secure_connection, "03616263"},
        row{capability::plugin_auth_lenenc_data, "03616263"},
        row{capability::secure_connection, "03616263"},
        row{0, "61626300"},
    };
    for (const auto& [flags, expected_hex] : rows) {
        handshake_response response;
        response.capabilities = capability::protocol_41 | capability::long_password | flags;
        response.user = "u";
        response.auth_response = "abc";
        const auto bytes = bytes_of(response);
        CHECK(to_hex(byte_view(bytes).subspan(34)) == expected_hex);
        const auto again = parse_handshake_response(bytes).value();
        CHECK(again.auth_response == "abc");
        CHECK(bytes_of(again) == bytes);
        check_truncations_fail(bytes, parse_handshake_response);
    }
}

TEST_CASE("response: a password over 255 bytes needs the length-encoded form") {
    auto response = full_response();
    response.capabilities &= ~capability::plugin_auth_lenenc_data;
    CHECK_THROWS_AS(bytes_of(response), sluice::assertion_failure);
}

TEST_CASE("response: a plugin name without its NUL, as some drivers send it") {
    auto response = full_response();
    response.capabilities &= ~(capability::connect_attrs | capability::zstd_compression);
    auto bytes = bytes_of(response);
    bytes.pop_back();
    const auto again = parse_handshake_response(bytes).value();
    CHECK(again.auth_plugin == "caching_sha2_password");
    CHECK(bytes_of(again) == bytes);
}

TEST_CASE("response of a MariaDB client carries its extended capabilities") {
    handshake_response response;
    response.capabilities =
        capability::protocol_41 | capability::secure_connection | capability::mariadb_stmt_bulk_operations;
    response.user = "u";
    const auto bytes = bytes_of(response);
    CHECK(to_hex(byte_view(bytes).subspan(28, 4)) == "04000000");
    CHECK(parse_handshake_response(bytes).value().capabilities == response.capabilities);

    response.capabilities |= capability::long_password;
    const auto mysql = bytes_of(response);
    CHECK(to_hex(byte_view(mysql).subspan(28, 4)) == "00000000");
    CHECK(parse_handshake_response(mysql).value().capabilities == (response.capabilities & capability::mysql_mask));
}

TEST_CASE("response of a client from before 4.1 is refused clearly") {
    const auto bytes = from_hex("05a2ffffff726f6f7400");
    auto old = bytes;
    old[1] = std::byte{0x80};
    CHECK(parse_handshake_response(old).error().code == wire_errc::unsupported);
    CHECK(parse_handshake_response(bytes).error().code == wire_errc::truncated);
    CHECK(parse_handshake_response(byte_view()).error().code == wire_errc::truncated);
}

TEST_CASE("TLS request") {
    ssl_request request;
    request.capabilities = capability::protocol_41 | capability::ssl | capability::long_password;
    request.character_set = 33;
    const auto bytes = bytes_of(request);
    REQUIRE(bytes.size() == 32);
    CHECK(is_ssl_request(bytes));
    const auto again = parse_ssl_request(bytes).value();
    CHECK(again.capabilities == request.capabilities);
    CHECK(again.character_set == 33);
    for_each_truncation(bytes, [](byte_view part) {
        CHECK_FALSE(is_ssl_request(part));
        CHECK(parse_ssl_request(part).error().code == wire_errc::truncated);
    });

    request.capabilities &= ~capability::ssl;
    CHECK_FALSE(is_ssl_request(bytes_of(request)));
    CHECK(parse_ssl_request(bytes_of(request)).error().code == wire_errc::malformed);
    CHECK_FALSE(is_ssl_request(bytes_of(full_response())));
}

TEST_CASE("connect attributes") {
    CHECK(parse_attributes("").value().empty());
    const auto block = serialise_attributes({{"k", std::string(300, 'v')}, {"", "x"}});
    CHECK(parse_attributes(block).value().size() == 2);
    const auto bytes = as_bytes(block);
    const auto parse = [](byte_view part) { return parse_attributes(as_text(part)); };
    const auto failed = check_truncations_fail_or_round_trip(
        bytes, parse,
        [](byte_buffer& out, const connect_attributes& value) { out = to_buffer(serialise_attributes(value)); });
    CHECK(failed == bytes.size() - 2);  // valid: nothing at all, and the first pair alone
}

#include "protocol/message/auth.hpp"

#include "tests/unit/wire/wire_support.hpp"

using namespace sluice::protocol;
using namespace sluice::protocol::test;

TEST_CASE("authentication packets by their first byte") {
    CHECK(classify_auth_packet(0x00) == auth_packet_kind::ok);
    CHECK(classify_auth_packet(0x01) == auth_packet_kind::more_data);
    CHECK(classify_auth_packet(0x02) == auth_packet_kind::next_factor);
    CHECK(classify_auth_packet(0xFE) == auth_packet_kind::switch_request);
    CHECK(classify_auth_packet(0xFF) == auth_packet_kind::err);
    CHECK(classify_auth_packet(0x03) == auth_packet_kind::unknown);
    CHECK(classify_auth_packet(0xFB) == auth_packet_kind::unknown);
}

TEST_CASE("switch request") {
    const auth_switch_request request{"mysql_native_password", std::string(20, 's') + '\0', false};
    const auto bytes = bytes_of(request);
    CHECK(to_hex(bytes) == "fe6d7973716c5f6e61746976655f70617373776f726400" + to_hex(std::string(20, 's')) + "00");
    const auto again = parse_auth_switch_request(bytes).value();
    CHECK(again.plugin == "mysql_native_password");
    CHECK(again.data == request.data);
    CHECK(again.scramble() == std::string(20, 's'));
    CHECK_FALSE(again.is_old_form);

    const auto failed = check_truncations_fail_or_round_trip(
        bytes, parse_auth_switch_request,
        [](byte_buffer& out, const auth_switch_request& value) { serialise(out, value); });
    CHECK(failed == 22);  // nothing, and every unfinished name; the lone first byte is the old form
}

TEST_CASE("switch request of a very old server") {
    const auto bytes = from_hex("fe");
    const auto request = parse_auth_switch_request(bytes).value();
    CHECK(request.is_old_form);
    CHECK(request.plugin == old_password_plugin);
    CHECK(to_hex(bytes_of(request)) == "fe");
    CHECK(parse_auth_switch_request(from_hex("0000")).error().code == wire_errc::malformed);
}

TEST_CASE("more data and next factor") {
    const auto fast = parse_auth_more_data(from_hex("0103")).value();
    CHECK(fast.data == "\x03");
    CHECK(to_hex(bytes_of(fast)) == "0103");
    CHECK(parse_auth_more_data(from_hex("01")).value().data.empty());
    CHECK(parse_auth_more_data(byte_view()).error().code == wire_errc::truncated);
    CHECK(parse_auth_more_data(from_hex("0003")).error().code == wire_errc::malformed);

    const auto bytes = from_hex("02616200636465");
    const auto factor = parse_auth_next_factor(bytes).value();
    CHECK(factor.plugin == "ab");
    CHECK(factor.data == "cde");
    CHECK(bytes_of(factor) == bytes);
    check_truncations_fail(byte_view(bytes).first(4), parse_auth_next_factor);
    CHECK(parse_auth_next_factor(from_hex("01616200")).error().code == wire_errc::malformed);
}

TEST_CASE("COM_CHANGE_USER round trips with every set of capabilities") {
    constexpr auto base = capability::protocol_41 | capability::secure_connection;
    for (const auto flags : {base, base | capability::plugin_auth, base | capability::connect_attrs,
                             base | capability::plugin_auth | capability::connect_attrs, capability::protocol_41}) {
        CAPTURE(flags);
        change_user change;
        change.user = "bob";
        change.auth_response = "secret";
        change.database = "shop";
        change.character_set = 255;
        if (has(flags, capability::plugin_auth)) change.auth_plugin = "caching_sha2_password";
        if (has(flags, capability::connect_attrs)) change.attributes = std::string("\x01k\x01v");
        const auto bytes = bytes_of(change, flags);
        const auto again = parse_change_user(bytes, flags).value();
        CHECK(again.user == "bob");
        CHECK(again.auth_response == "secret");
        CHECK(again.database == "shop");
        CHECK(again.character_set == 255);
        CHECK(again.auth_plugin == change.auth_plugin);
        CHECK(again.attributes == change.attributes);
        CHECK(bytes_of(again, flags) == bytes);
        const auto failed = check_truncations_fail_or_round_trip(
            bytes, [&](byte_view part) { return parse_change_user(part, flags); },
            [&](byte_buffer& out, const change_user& value) { serialise(out, value, flags); });
        const std::size_t optional_ends = 1 + (change.auth_plugin ? 1 : 0) + (change.attributes ? 1 : 0);
        CHECK(failed == bytes.size() - optional_ends);
    }
}

TEST_CASE("COM_CHANGE_USER: empty password and another command byte") {
    const auto bytes = from_hex("11750000 00");
    const auto change = parse_change_user(bytes, capability::secure_connection).value();
    CHECK(change.user == "u");
    CHECK(change.auth_response.empty());
    CHECK(change.database.empty());
    CHECK_FALSE(change.character_set);
    CHECK(parse_change_user(from_hex("0375000000"), capability::secure_connection).error().code ==
          wire_errc::malformed);
}

#include "protocol/message/command.hpp"

#include "tests/unit/wire/wire_support.hpp"

#include <set>

using namespace sluice::protocol;
using namespace sluice::protocol::test;

TEST_CASE("commands: names and replies") {
    struct row {
        std::uint8_t byte;
        std::string_view name;
        command_reply reply;
    };
    const auto rows = {
        row{0x01, "COM_QUIT", command_reply::none},
        row{0x02, "COM_INIT_DB", command_reply::ok_or_err},
        row{0x03, "COM_QUERY", command_reply::result},
        row{0x04, "COM_FIELD_LIST", command_reply::field_list},
        row{0x09, "COM_STATISTICS", command_reply::bare_text},
        row{0x0C, "COM_PROCESS_KILL", command_reply::ok_or_err},
        row{0x0D, "COM_DEBUG", command_reply::eof_or_err},
        row{0x0E, "COM_PING", command_reply::ok_or_err},
        row{0x11, "COM_CHANGE_USER", command_reply::authentication},
        row{0x12, "COM_BINLOG_DUMP", command_reply::endless},
        row{0x15, "COM_REGISTER_SLAVE", command_reply::ok_or_err},
        row{0x16, "COM_STMT_PREPARE", command_reply::prepare},
        row{0x17, "COM_STMT_EXECUTE", command_reply::result},
        row{0x18, "COM_STMT_SEND_LONG_DATA", command_reply::none},
        row{0x19, "COM_STMT_CLOSE", command_reply::none},
        row{0x1A, "COM_STMT_RESET", command_reply::ok_or_err},
        row{0x1B, "COM_SET_OPTION", command_reply::eof_or_err},
        row{0x1C, "COM_STMT_FETCH", command_reply::fetch},
        row{0x1E, "COM_BINLOG_DUMP_GTID", command_reply::endless},
        row{0x1F, "COM_RESET_CONNECTION", command_reply::ok_or_err},
        row{0x20, "COM_CLONE", command_reply::endless},
        row{0x21, "COM_SUBSCRIBE_GROUP_REPLICATION_STREAM", command_reply::endless},
        row{0xFA, "COM_STMT_BULK_EXECUTE", command_reply::result},
    };
    for (const auto& [byte, name, reply] : rows) {
        CAPTURE(name);
        CHECK(is_known_command(byte));
        CHECK(command_name(static_cast<command>(byte)) == name);
        CHECK(reply_of(static_cast<command>(byte)) == reply);
        CHECK(has_reply(static_cast<command>(byte)) == (reply != command_reply::none));
    }
}

TEST_CASE("commands: known bytes are contiguous at both ends and have names of their own") {
    std::set<std::string_view> names;
    std::size_t known = 0;
    for (unsigned byte = 0; byte < 256; ++byte) {
        const auto value = static_cast<std::uint8_t>(byte);
        CAPTURE(byte);
        CHECK(is_known_command(value) == (byte <= 0x21 || (byte >= 0xFA && byte <= 0xFE)));
        if (!is_known_command(value)) {
            CHECK(command_name(static_cast<command>(value)) == "COM_UNKNOWN");
            CHECK(reply_of(static_cast<command>(value)) == command_reply::unknown);
            continue;
        }
        ++known;
        names.insert(command_name(static_cast<command>(value)));
    }
    CHECK(names.size() == known);
}

TEST_CASE("query: with and without query attributes") {
    struct row {
        const char* what;
        std::string_view hex;
        capability_flags capabilities;
        std::size_t sql_offset;
    };
    constexpr auto attributes = capability::query_attributes;
    const auto rows = {
        row{"plain", "0353454c2031", 0, 1},
        row{"no attributes", "03000153454c2031", attributes, 3},
        row{"one string", "03 0101 00 01 fd00 0161 03787978 53454c2031", attributes, 13},
        row{"one NULL of a type with a size", "03 0101 01 01 0800 0161 53454c2031", attributes, 9},
        row{"type NULL", "03 0101 00 01 0600 00 53454c2031", attributes, 8},
        row{"tiny, short, long, long long",
            "03 0401 00 01 0100 00 0280 00 0300 00 0800 00 aa aabb aabbccdd 0102030405060708 53454c2031", attributes,
            32},
        row{"float, double, year, int24",
            "03 0401 00 01 0400 00 0500 00 0d00 00 0900 00 00000000 0000000000000000 e407 01000000 "
            "53454c2031",
            attributes, 35},
        row{"date, time, datetime, timestamp",
            "03 0401 00 01 0a00 00 0b00 00 0c00 00 0700 00 04e4070101 00 07e4070101010203 "
            "0be407010101020300000000 53454c2031",
            attributes, 43},
    };
    for (const auto& [what, hex, capabilities, sql_offset] : rows) {
        CAPTURE(what);
        const auto bytes = from_hex(hex);
        const auto query = parse_query(bytes, capabilities);
        REQUIRE(query.has_value());
        CHECK(query->sql == "SEL 1");
        CHECK(query->sql_offset == sql_offset);
        for_each_truncation(bytes, [&](byte_view part) {
            const auto shorter = parse_query(part, capabilities);
            CHECK(shorter.has_value() == (part.size() >= sql_offset));
        });
    }
}

TEST_CASE("query: nine attributes need two bytes of NULL bitmap") {
    auto bytes = from_hex("03 0901 fe01 01");
    for (int i = 0; i < 9; ++i) bytes.insert(bytes.end(), {std::byte{0x01}, std::byte{0}, std::byte{0}});
    bytes.push_back(std::byte{0x55});  // the first alone has a value
    bytes.push_back(std::byte{'X'});
    CHECK(parse_query(bytes, capability::query_attributes).value().sql == "X");
}

TEST_CASE("query: hostile attribute blocks") {
    constexpr auto attributes = capability::query_attributes;
    struct row {
        const char* what;
        std::string_view hex;
        wire_errc code;
    };
    const auto rows = {
        row{"no type flag", "03 0101 00 00 fd00 00 0178", wire_errc::malformed},
        row{"unknown type", "03 0101 00 01 f300 00 0178", wire_errc::malformed},
        row{"count beyond the packet", "03 faff 01", wire_errc::malformed},
        row{"large count", "03 fcffff 01 00", wire_errc::truncated},
        row{"huge count", "03 feffffffffffffffff 01 00", wire_errc::malformed},
        row{"name beyond the packet", "03 0101 00 01 fd00 fe0000000000000080 61", wire_errc::truncated},
        row{"value beyond the packet", "03 0101 00 01 fd00 00 fcffff61", wire_errc::truncated},
        row{"empty payload", "", wire_errc::truncated},
        row{"another command", "16000153", wire_errc::malformed},
    };
    for (const auto& [what, hex, code] : rows) {
        CAPTURE(what);
        CHECK(parse_query(from_hex(hex), attributes).error().code == code);
    }
}

TEST_CASE("simple commands") {
    byte_buffer bytes;
    serialise_query(bytes, "DO 1", 0);
    CHECK(to_hex(bytes) == "03444f2031");
    bytes.clear();
    serialise_query(bytes, "DO 1", capability::query_attributes);
    CHECK(to_hex(bytes) == "030001444f2031");
    CHECK(parse_query(bytes, capability::query_attributes).value().sql == "DO 1");

    bytes.clear();
    serialise_bare_command(bytes, command::ping);
    CHECK(to_hex(bytes) == "0e");

    bytes.clear();
    serialise_init_db(bytes, "shop");
    CHECK(to_hex(bytes) == "0273686f70");
    CHECK(parse_init_db(bytes).value() == "shop");
    CHECK(parse_init_db(byte_view()).error().code == wire_errc::truncated);
    CHECK(parse_init_db(from_hex("0373")).error().code == wire_errc::malformed);

    bytes.clear();
    serialise_set_option(bytes, option_multi_statements_off);
    CHECK(to_hex(bytes) == "1b0100");
    CHECK(parse_set_option(bytes).value() == option_multi_statements_off);
    check_truncations_fail(bytes, parse_set_option);

    bytes.clear();
    serialise_process_kill(bytes, 0x01020304);
    CHECK(to_hex(bytes) == "0c04030201");
    CHECK(parse_process_kill(bytes).value() == 0x01020304);
    check_truncations_fail(bytes, parse_process_kill);
}

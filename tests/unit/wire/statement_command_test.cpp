#include "protocol/message/statement_command.hpp"

#include "tests/unit/wire/wire_support.hpp"

using namespace sluice::protocol;
using namespace sluice::protocol::test;

TEST_CASE("prepare, close, reset") {
    byte_buffer bytes;
    serialise_stmt_prepare(bytes, "DO ?");
    CHECK(to_hex(bytes) == "16444f203f");
    CHECK(parse_stmt_prepare(bytes).value() == "DO ?");
    CHECK(parse_stmt_prepare(from_hex("03444f")).error().code == wire_errc::malformed);

    bytes.clear();
    serialise_stmt_close(bytes, 0x0A0B0C0D);
    CHECK(to_hex(bytes) == "190d0c0b0a");
    CHECK(parse_stmt_close(bytes).value() == 0x0A0B0C0D);
    CHECK(parse_stmt_reset(bytes).error().code == wire_errc::malformed);
    check_truncations_fail(bytes, parse_stmt_close);

    bytes.clear();
    serialise_stmt_reset(bytes, 7);
    CHECK(to_hex(bytes) == "1a07000000");
    CHECK(parse_stmt_reset(bytes).value() == 7);
    check_truncations_fail(bytes, parse_stmt_reset);
}

TEST_CASE("execute: head and parameters") {
    const std::vector<std::optional<std::string_view>> parameters = {"ab", std::nullopt, ""};
    byte_buffer bytes;
    serialise_stmt_execute(bytes, 5, cursor_flag::read_only, parameters, 0);
    CHECK(to_hex(bytes) == packed("1705000000 01 01000000 02 01 fd00fd00fd00 026162 00"));
    const auto head = parse_stmt_execute(bytes).value();
    CHECK(head.statement_id == 5);
    CHECK(head.flags == cursor_flag::read_only);
    CHECK(head.iterations == 1);
    check_truncations_fail(byte_view(bytes).first(10), parse_stmt_execute);

    bytes.clear();
    serialise_stmt_execute(bytes, 5, 0, parameters, capability::query_attributes);
    CHECK(to_hex(bytes) == packed("1705000000 08 01000000 03 02 01 fd0000fd0000fd0000 026162 00"));

    bytes.clear();
    serialise_stmt_execute(bytes, 5, 0, {}, 0);
    CHECK(to_hex(bytes) == packed("1705000000 00 01000000"));
}

TEST_CASE("execute: nine parameters need two bytes of NULL bitmap") {
    const std::vector<std::optional<std::string_view>> parameters(9);
    byte_buffer bytes;
    serialise_stmt_execute(bytes, 1, 0, parameters, 0);
    CHECK(to_hex(byte_view(bytes).subspan(10, 3)) == "ff0101");
}

TEST_CASE("bulk execute of MariaDB") {
    const auto bytes = from_hex("faffffffff8000");
    const auto head = parse_stmt_bulk_execute(bytes).value();
    CHECK(head.statement_id == 0xFFFFFFFF);
    CHECK(head.flags == 0x80);
    check_truncations_fail(bytes, parse_stmt_bulk_execute);
}

TEST_CASE("long data and fetch") {
    const auto payload = from_hex("00ff41");
    const auto bytes = bytes_of(stmt_send_long_data{3, 2, payload});
    CHECK(to_hex(bytes) == packed("18030000000200 00ff41"));
    const auto data = parse_stmt_send_long_data(bytes).value();
    CHECK(data.statement_id == 3);
    CHECK(data.parameter == 2);
    CHECK(to_hex(data.data) == "00ff41");
    check_truncations_fail(byte_view(bytes).first(7), parse_stmt_send_long_data);

    const auto fetch_bytes = bytes_of(stmt_fetch{9, 100});
    CHECK(to_hex(fetch_bytes) == "1c0900000064000000");
    const auto fetch = parse_stmt_fetch(fetch_bytes).value();
    CHECK(fetch.statement_id == 9);
    CHECK(fetch.rows == 100);
    check_truncations_fail(fetch_bytes, parse_stmt_fetch);
}

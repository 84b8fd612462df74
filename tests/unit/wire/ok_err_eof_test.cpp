#include "protocol/message/eof.hpp"
#include "protocol/message/err.hpp"
#include "protocol/message/ok.hpp"

#include "tests/unit/wire/wire_support.hpp"

using namespace sluice::protocol;
using namespace sluice::protocol::test;

namespace {

constexpr auto plain = capability::protocol_41;
constexpr auto tracking = capability::protocol_41 | capability::session_track;

}  // namespace

TEST_CASE("OK packets that servers sent write themselves back") {
    struct row {
        const char* what;
        std::string_view hex;
        capability_flags capabilities;
        bool is_terminator;
        status_flags status;
        std::string_view info;
        std::size_t session_state_size;
    };
    const auto rows = {
        row{"plain", "00000002000000", plain, false, 0x0002, "", 0},
        row{"plain, tracking on", "00000002000000", tracking, false, 0x0002, "", 0},
        row{"terminator", "fe000022000000", plain, true, 0x0022, "", 0},
        row{"9.7, state without info", "00000002400000001d00100c73746174656d656e745f69640231320106056d7973716c020131",
            tracking, false, 0x4002, "", 29},
        row{"9.7, info and state",
            "0000002240000028526f7773206d6174636865643a203020204368616e6765643a203020205761726e69"
            "6e67733a20301200100c73746174656d656e745f6964023232",
            tracking, false, 0x4022, "Rows matched: 0  Changed: 0  Warnings: 0", 18},
        row{"MariaDB, info with its length though tracking is off",
            "0000002200000028526f7773206d6174636865643a203020204368616e6765643a203020205761726e696e67733a2030", plain,
            false, 0x0022, "Rows matched: 0  Changed: 0  Warnings: 0", 0},
    };
    for (const auto& [what, hex, capabilities, is_terminator, status, info, session_state_size] : rows) {
        CAPTURE(what);
        const auto bytes = from_hex(hex);
        const auto ok = parse_ok(bytes, capabilities).value();
        CHECK(ok.is_terminator == is_terminator);
        CHECK(ok.status == status);
        CHECK(ok.info == info);
        CHECK(ok.session_state.size() == session_state_size);
        CHECK(to_hex(bytes_of(ok, capabilities)) == hex);
        CHECK(peek_ok_status(bytes).value() == status);
    }
}

TEST_CASE("OK: numbers of every size, and the status from the first bytes") {
    for (const std::uint64_t number : {0ULL, 250ULL, 251ULL, 65536ULL, 0x1000000ULL, ~0ULL}) {
        CAPTURE(number);
        ok_packet ok;
        ok.affected_rows = number;
        ok.last_insert_id = ~number;
        ok.status = 0x1234 & ~server_status::session_state_changed;
        ok.warnings = 0x5678;
        ok.info = "done";
        const auto bytes = bytes_of(ok, tracking);
        const auto again = parse_ok(bytes, tracking).value();
        CHECK(again.affected_rows == number);
        CHECK(again.last_insert_id == ~number);
        CHECK(again.status == ok.status);
        CHECK(again.warnings == 0x5678);
        CHECK(again.info == "done");
        const auto head = byte_view(bytes).first(std::min(bytes.size(), ok_status_end_max));
        CHECK(peek_ok_status(head).value() == ok.status);
        const auto status_end = bytes.size() - 2 - 5;
        check_truncations_fail(byte_view(bytes).first(status_end), peek_ok_status);
        CHECK(status_end <= ok_status_end_max);
    }
}

TEST_CASE("OK: truncations fail, except at the ends of the two last fields") {
    const auto bytes = from_hex("00000002400000001d00100c73746174656d656e745f69640231320106056d7973716c020131");
    for_each_truncation(bytes, [](byte_view part) {
        const auto shorter = parse_ok(part, tracking);
        if (part.size() == 7 || part.size() == 8) {
            CHECK(shorter.value().session_state.empty());
        } else {
            CHECK(shorter.error().code == wire_errc::truncated);
        }
    });
}

TEST_CASE("OK: info without a length, as the manual has it") {
    const auto bytes = from_hex("00000002000000 68656c6c6f");
    CHECK(parse_ok(bytes, plain).value().info == "hello");
    CHECK(parse_ok(bytes, tracking).error().code == wire_errc::truncated);
}

TEST_CASE("OK: other first bytes and hostile lengths") {
    CHECK(parse_ok(from_hex("ff000002000000"), plain).error().code == wire_errc::malformed);
    CHECK(parse_ok(from_hex("00fb0002000000"), plain).error().code == wire_errc::malformed);
    CHECK(peek_ok_status(from_hex("01000002000000")).error().code == wire_errc::malformed);
    CHECK(parse_ok(from_hex("00000002400000 feffffffffffffff7f"), tracking).error().code == wire_errc::truncated);
    CHECK(parse_ok(from_hex("00000002400000 00 fcffff00"), tracking).error().code == wire_errc::truncated);
}

TEST_CASE("OK: a state that is not announced is not written") {
    ok_packet ok;
    ok.session_state = "state";
    CHECK(to_hex(bytes_of(ok, tracking)) == "00000002000000");
    ok.status = static_cast<status_flags>(ok.status | server_status::session_state_changed);
    CHECK(to_hex(bytes_of(ok, tracking)) == packed("00000002400000 00 057374617465"));
    CHECK(to_hex(bytes_of(ok, plain)) == "00000002400000");
}

TEST_CASE("ERR with and without SQLSTATE") {
    const auto bytes = from_hex("ff7a04233432533032 6e6f");
    const auto err = parse_err(bytes).value();
    CHECK(err.code == 1146);
    CHECK(err.sqlstate == "42S02");
    CHECK(err.message == "no");
    CHECK(bytes_of(err, plain) == bytes);
    CHECK(to_hex(bytes_of(err, 0)) == "ff7a046e6f");

    const auto bare = from_hex("ff6904486f7374");
    CHECK(parse_err(bare).value().sqlstate.empty());
    CHECK(parse_err(bare).value().message == "Host");
    CHECK(to_hex(bytes_of(parse_err(bare).value(), plain)) == packed("ff6904 234859303030 486f7374"));

    CHECK(parse_err(from_hex("007a04")).error().code == wire_errc::malformed);
    for_each_truncation(bytes, [](byte_view part) {
        const auto shorter = parse_err(part);
        CHECK(shorter.has_value() == (part.size() == 3 || part.size() >= 9));
    });
    CHECK_THROWS_AS(bytes_of(err_packet{1, "toolong", ""}, plain), sluice::assertion_failure);
}

TEST_CASE("MariaDB's progress report is no error") {
    CHECK(is_progress_report(from_hex("ffffff0101")));
    CHECK_FALSE(is_progress_report(from_hex("ff7a04")));
    CHECK_FALSE(is_progress_report(from_hex("ffff")));
    CHECK_FALSE(is_progress_report(from_hex("feffff")));
}

TEST_CASE("EOF") {
    const auto bytes = from_hex("fe01020a00");
    const auto eof = parse_eof(bytes).value();
    CHECK(eof.warnings == 0x0201);
    CHECK(eof.status == 0x000A);
    CHECK(bytes_of(eof) == bytes);
    check_truncations_fail(bytes, parse_eof);
    CHECK(parse_eof(from_hex("0000000000")).error().code == wire_errc::malformed);
    CHECK(parse_eof(from_hex("fe0000000000000000")).error().code == wire_errc::malformed);
    CHECK(parse_eof(from_hex("fe00000000000000")).has_value());
}

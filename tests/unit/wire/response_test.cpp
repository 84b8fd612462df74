#include "protocol/message/response.hpp"

#include "protocol/wire/frame.hpp"
#include "tests/unit/wire/wire_support.hpp"

using namespace sluice::protocol;
using namespace sluice::protocol::test;

TEST_CASE("first packet of a reply") {
    CHECK(classify_response_head(7, 0x00).value() == response_head::ok);
    CHECK(classify_response_head(40, 0xFF).value() == response_head::err);
    CHECK(classify_response_head(5, 0xFB).value() == response_head::local_infile);
    CHECK(classify_response_head(5, 0xFE).value() == response_head::eof);
    CHECK(classify_response_head(1, 0x01).value() == response_head::result_set);
    CHECK(classify_response_head(3, 0xFC).value() == response_head::result_set);
    CHECK(classify_response_head(0, 0x00).error().code == wire_errc::truncated);
}

TEST_CASE("row phase: the exact ends") {
    constexpr auto modern = capability::deprecate_eof;
    constexpr std::uint32_t full = frame_payload_size_max;
    struct row {
        const char* what;
        std::uint32_t size;
        std::uint8_t first;
        bool is_continuation;
        capability_flags capabilities;
        row_phase expected;
    };
    const auto rows = {
        row{"row", 10, 0x03, false, modern, row_phase::row},
        row{"binary row", 10, 0x00, false, modern, row_phase::row},
        row{"row that begins with NULL", 1, 0xFB, false, modern, row_phase::row},
        row{"row with a 64 KiB value", 70000, 0xFD, false, modern, row_phase::row},
        row{"short terminator", 7, 0xFE, false, modern, row_phase::ok_terminator},
        row{"terminator with trackers", 9, 0xFE, false, modern, row_phase::ok_terminator},
        row{"terminator with long trackers", 70000, 0xFE, false, modern, row_phase::ok_terminator},
        row{"longest terminator", full - 1, 0xFE, false, modern, row_phase::ok_terminator},
        row{"16 MiB row", full, 0xFE, false, modern, row_phase::row},
        row{"error", 30, 0xFF, false, modern, row_phase::err},
        row{"continuation like a terminator", 7, 0xFE, true, modern, row_phase::continuation},
        row{"continuation like an error", 7, 0xFF, true, modern, row_phase::continuation},
        row{"empty continuation", 0, 0x00, true, modern, row_phase::continuation},
        row{"EOF", 5, 0xFE, false, 0, row_phase::eof},
        row{"longest EOF", 8, 0xFE, false, 0, row_phase::eof},
        row{"row of nine bytes", 9, 0xFE, false, 0, row_phase::row},
        row{"16 MiB row, old protocol", full, 0xFE, false, 0, row_phase::row},
        row{"error, old protocol", 30, 0xFF, false, 0, row_phase::err},
        row{"continuation, old protocol", 5, 0xFE, true, 0, row_phase::continuation},
    };
    for (const auto& [what, size, first, is_continuation, capabilities, expected] : rows) {
        CAPTURE(what);
        CHECK((classify_row_phase(size, first, is_continuation, capabilities).value() == expected));
    }
    CHECK(classify_row_phase(0, 0, false, modern).error().code == wire_errc::truncated);
}

TEST_CASE("head of a result set") {
    CHECK(parse_result_set_head(from_hex("03"), 0).value().column_count == 3);
    CHECK(parse_result_set_head(from_hex("fc0010"), 0).value().column_count == 4096);
    for (const auto flag : {capability::optional_resultset_metadata, capability::mariadb_cache_metadata}) {
        const auto with = parse_result_set_head(from_hex("0201"), flag).value();
        CHECK(with.column_count == 2);
        CHECK(with.metadata_follows);
        const auto without = parse_result_set_head(from_hex("0200"), flag).value();
        CHECK(without.column_count == 2);
        CHECK_FALSE(without.metadata_follows);
        check_truncations_fail(from_hex("fc001001"), [&](byte_view part) { return parse_result_set_head(part, flag); });
    }
    CHECK(parse_result_set_head(from_hex("00"), 0).error().code == wire_errc::malformed);
    CHECK(parse_result_set_head(from_hex("fb"), 0).error().code == wire_errc::malformed);
    CHECK(parse_result_set_head(byte_view(), 0).error().code == wire_errc::truncated);
}

TEST_CASE("LOCAL INFILE request") {
    CHECK(parse_local_infile(from_hex("fb2f746d70")).value() == "/tmp");
    CHECK(parse_local_infile(from_hex("fb")).value().empty());
    CHECK(parse_local_infile(byte_view()).error().code == wire_errc::truncated);
    CHECK(parse_local_infile(from_hex("002f")).error().code == wire_errc::malformed);
}

#include "protocol/message/text_resultset.hpp"

#include "protocol/message/column.hpp"
#include "protocol/message/eof.hpp"
#include "protocol/message/response.hpp"
#include "protocol/message/row.hpp"
#include "protocol/wire/frame.hpp"
#include "tests/unit/wire/wire_support.hpp"

using namespace sluice::protocol;
using namespace sluice::protocol::test;

namespace {

std::vector<byte_buffer> packets_of(byte_view stream, std::uint8_t first_sequence) {
    packet_assembler assembler(1U << 26);
    assembler.expect_sequence(first_sequence);
    std::vector<byte_buffer> packets;
    while (!stream.empty()) {
        stream = stream.subspan(assembler.feed(stream).value());
        REQUIRE(assembler.complete());
        packets.emplace_back(assembler.payload().begin(), assembler.payload().end());
        assembler.clear();
    }
    return packets;
}

const text_resultset two_rows{{{"id", text_column_type::bigint}, {"name", text_column_type::varchar}},
                              {{"1", "ann"}, {"2", std::nullopt}}};

}  // namespace

TEST_CASE("text result set with deprecate_eof") {
    constexpr auto capabilities = capability::protocol_41 | capability::deprecate_eof;
    byte_buffer out;
    const status_flags status = server_status::in_trans | server_status::autocommit |
                                server_status::more_results_exist | server_status::session_state_changed;
    CHECK(append_text_resultset(out, two_rows, capabilities, status, 254) == 4);
    const auto packets = packets_of(out, 254);
    REQUIRE(packets.size() == 6);
    CHECK(parse_result_set_head(packets[0], capabilities).value().column_count == 2);
    const auto id = parse_column_definition(packets[1], capabilities).value();
    CHECK(id.name == "id");
    CHECK(id.type == column_type::long_long);
    CHECK(id.character_set == collation_binary);
    const auto name = parse_column_definition(packets[2], capabilities).value();
    CHECK(name.name == "name");
    CHECK(name.type == column_type::var_string);
    CHECK(name.character_set == collation_utf8mb4_general_ci);
    CHECK(parse_text_row(packets[3], 2).value() == text_row{"1", "ann"});
    CHECK(parse_text_row(packets[4], 2).value() == text_row{"2", std::nullopt});
    const auto end = parse_ok(packets[5], capabilities).value();
    CHECK(end.is_terminator);
    CHECK(end.status == (server_status::in_trans | server_status::autocommit));
}

TEST_CASE("text result set without deprecate_eof") {
    constexpr auto capabilities = capability::protocol_41;
    byte_buffer out;
    CHECK(append_text_resultset(out, two_rows, capabilities, server_status::autocommit, 1) == 8);
    const auto packets = packets_of(out, 1);
    REQUIRE(packets.size() == 7);
    CHECK(parse_eof(packets[3]).value().status == server_status::autocommit);
    CHECK(parse_text_row(packets[4], 2).value() == text_row{"1", "ann"});
    CHECK(parse_eof(packets[6]).value().status == server_status::autocommit);
}

TEST_CASE("text result set announces its metadata where that is negotiated") {
    for (const auto flag : {capability::optional_resultset_metadata, capability::mariadb_cache_metadata}) {
        const auto capabilities = capability::protocol_41 | capability::deprecate_eof | flag;
        byte_buffer out;
        append_text_resultset(out, two_rows, capabilities, 0, 1);
        const auto head = parse_result_set_head(packets_of(out, 1)[0], capabilities).value();
        CHECK(head.column_count == 2);
        CHECK(head.metadata_follows);
    }
}

TEST_CASE("text result set: no rows, many rows, wrong shape") {
    constexpr auto capabilities = capability::protocol_41 | capability::deprecate_eof;
    byte_buffer out;
    text_resultset set{{{"a", text_column_type::varchar}}, {}};
    CHECK(append_text_resultset(out, set, capabilities, 0, 1) == 4);
    CHECK(packets_of(out, 1).size() == 3);

    out.clear();
    set.rows.assign(300, {std::optional<std::string>("x")});
    CHECK(append_text_resultset(out, set, capabilities, 0, 1) == static_cast<std::uint8_t>(1 + 303));
    CHECK(packets_of(out, 1).size() == 303);

    set.rows = {{std::nullopt, std::nullopt}};
    CHECK_THROWS_AS(append_text_resultset(out, set, capabilities, 0, 1), sluice::assertion_failure);
    CHECK_THROWS_AS(append_text_resultset(out, {}, capabilities, 0, 1), sluice::assertion_failure);
}

TEST_CASE("ERR and OK replies") {
    byte_buffer out;
    CHECK(append_err_reply(out, {1412, "HY000", "retry"}, capability::protocol_41, 1) == 2);
    CHECK(to_hex(out) == packed("0e000001 ff8405 234859303030 7265747279"));
    out.clear();
    CHECK(append_ok_reply(out, {}, capability::protocol_41, 255) == 0);
    CHECK(to_hex(out) == packed("070000ff 00000002000000"));
}

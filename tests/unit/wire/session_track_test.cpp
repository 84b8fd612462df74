#include "protocol/message/session_track.hpp"

#include "tests/unit/wire/wire_support.hpp"

using namespace sluice::protocol;
using namespace sluice::protocol::test;

namespace {

std::vector<session_track_entry> entries_of(std::string_view state) {
    session_track_cursor cursor(state);
    std::vector<session_track_entry> entries;
    while (true) {
        const auto entry = cursor.next();
        REQUIRE(entry.has_value());
        if (!entry.value()) return entries;
        entries.push_back(*entry.value());
    }
}

}  // namespace

TEST_CASE("session state of 9.7: variable, schema, state change") {
    const auto state = hex_to_text("00100c73746174656d656e745f69640231320106056d7973716c020131");
    const auto entries = entries_of(state);
    REQUIRE(entries.size() == 3);
    CHECK(entries[0].type == session_track_type::system_variables);
    CHECK(parse_tracked_variables(entries[0].data).value() == tracked_variables{{"statement_id", "12"}});
    CHECK(entries[1].type == session_track_type::schema);
    CHECK(parse_tracked_text(entries[1].data).value() == "mysql");
    CHECK(entries[2].type == session_track_type::state_change);
    CHECK(parse_tracked_state_change(entries[2].data));
    CHECK_FALSE(parse_tracked_state_change("0"));
}

TEST_CASE("session state of 9.7: transaction and GTID") {
    const auto begin = hex_to_text("050908545f5f5f5f5f5f5f0413125354415254205452414e53414354494f4e3b");
    const auto entries = entries_of(begin);
    REQUIRE(entries.size() == 2);
    CHECK(entries[0].type == session_track_type::transaction_state);
    CHECK(parse_tracked_text(entries[0].data).value() == "T_______");
    CHECK(entries[1].type == session_track_type::transaction_characteristics);
    CHECK(parse_tracked_text(entries[1].data).value() == "START TRANSACTION;");

    const auto gtid =
        hex_to_text("032800 2637663863626236382d653535362d313166312d613936632d3032666330303030303030313a36");
    const auto found = entries_of(gtid);
    REQUIRE(found.size() == 1);
    CHECK(parse_tracked_gtids(found[0].data).value() == "7f8cbb68-e556-11f1-a96c-02fc00000001:6");
    CHECK(parse_tracked_gtids(hex_to_text("010161")).error().code == wire_errc::unsupported);
}

TEST_CASE("what is appended is what servers send, and reads back") {
    byte_buffer state;
    append_tracked_variable(state, "statement_id", "12");
    append_tracked_text(state, session_track_type::schema, "mysql");
    append_tracked_state_change(state);
    append_tracked_gtids(state, "uuid:1");
    append_tracked_entry(state, {static_cast<session_track_type>(99), "raw"});
    CHECK(to_hex(state) ==
          packed("00100c73746174656d656e745f69640231320106056d7973716c020131 03080006757569643a31 6303726177"));
    const auto entries = entries_of(as_text(state));
    REQUIRE(entries.size() == 5);
    CHECK(parse_tracked_gtids(entries[3].data).value() == "uuid:1");
    CHECK(entries[4].type == static_cast<session_track_type>(99));
    CHECK(entries[4].data == "raw");
}

TEST_CASE("several variables in one entry, as MariaDB may send them") {
    const auto data = hex_to_text("01610131 01620132");
    CHECK(parse_tracked_variables(data).value() == tracked_variables{{"a", "1"}, {"b", "2"}});
    check_truncations_fail(as_bytes(data).first(4),
                           [](byte_view part) { return parse_tracked_variables(as_text(part)); });
}

TEST_CASE("damaged session state") {
    const auto state = from_hex("0106056d7973716c");
    for_each_truncation(state, [](byte_view part) {
        session_track_cursor cursor(as_text(part));
        const auto entry = cursor.next();
        if (part.empty()) {
            CHECK_FALSE(entry.value().has_value());
        } else {
            CHECK(entry.error().code == wire_errc::truncated);
        }
    });
    check_truncations_fail(byte_view(state).subspan(2),
                           [](byte_view part) { return parse_tracked_text(as_text(part)); });
    CHECK(parse_tracked_text(hex_to_text("016162")).error().code == wire_errc::malformed);
    CHECK(parse_tracked_gtids("").error().code == wire_errc::truncated);
}

TEST_CASE("transaction state: eight places") {
    using state = tracked_transaction_state;
    struct row {
        std::string_view text;
        bool state::*place;
    };
    const auto rows = {
        row{"T_______", &state::explicit_transaction}, row{"I_______", &state::implicit_transaction},
        row{"_r______", &state::unsafe_read},          row{"__R_____", &state::transactional_read},
        row{"___w____", &state::unsafe_write},         row{"____W___", &state::transactional_write},
        row{"_____s__", &state::unsafe_statement},     row{"______S_", &state::result_set_sent},
        row{"_______L", &state::tables_locked},
    };
    for (const auto& [text, place] : rows) {
        CAPTURE(text);
        const auto parsed = parse_tracked_transaction_state(text).value();
        for (const auto& other : rows) CHECK(parsed.*other.place == (other.place == place));
    }
    for (const auto* text : {"", "T______", "T________", "t_______", "_I______", "TrRwWsSX"}) {
        CAPTURE(text);
        CHECK(parse_tracked_transaction_state(text).error().code == wire_errc::malformed);
    }
}

#include "protocol/binlog/event_decoder.hpp"

#include "protocol/binlog/mariadb_compressed.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/binlog/fixture.hpp"

namespace sluice::binlog::test {

namespace {

decoded_event decode_one(event_decoder& decoder, byte_view event) {
    const auto fed = decoder.feed(event);
    INFO((fed ? "" : fed.error().what));
    REQUIRE(fed);
    auto decoded = decoder.next();
    REQUIRE(decoded);
    REQUIRE(decoded->has_value());
    const auto none = decoder.next();
    REQUIRE(none);
    CHECK_FALSE(none->has_value());
    return std::move(**decoded);
}

decoded_event decode_one(byte_view event) {
    event_decoder decoder;
    return decode_one(decoder, event);
}

const byte_buffer table_map_body = bytes_of({5, 0, 0, 0, 0, 0, 1, 0, 1, 's', 0, 1, 't', 0, 1, 3, 0, 1});
const byte_buffer rows_body = bytes_of({5, 0, 0, 0, 0, 0, 1, 0, 1, 1, 0, 7, 0, 0, 0});

}  // namespace

TEST_CASE("which events may carry rows", "[binlog]") {
    struct {
        int type;
        bool may_carry_rows;
    } const table[] = {{0, true},    {2, false},  {4, false},  {6, true},   {16, false}, {18, true},
                       {19, false},  {20, true},  {23, true},  {27, false}, {30, true},  {33, false},
                       {39, true},   {40, true},  {42, false}, {43, true},  {100, true}, {160, false},
                       {162, false}, {165, true}, {166, true}, {171, true}, {172, true}, {255, true}};
    for (const auto& row : table) {
        INFO("type " << row.type);
        CHECK(may_carry_rows(static_cast<event_type>(row.type)) == row.may_carry_rows);
    }
}

TEST_CASE("types that cannot be decoded are reported, unless the server says that they may be ignored", "[binlog]") {
    for (int number = 0; number < 256; ++number) {
        const auto type = static_cast<event_type>(number);
        INFO("type " << number);
        const auto reported_as_undecodable = [&](std::uint16_t flags) {
            event_decoder decoder;
            const auto event = make_event(type, {}, flags);
            if (decoder.feed(event).has_error()) return false;
            const auto decoded = decoder.next();
            if (decoded.has_error() || !*decoded) return false;
            return std::holds_alternative<undecodable_event>((**decoded).body);
        };
        const bool is_decoded = type == event_type::table_map || type == event_type::transaction_payload ||
                                (number >= 23 && number <= 25) || (number >= 30 && number <= 32) || number == 39 ||
                                (number >= 165 && number <= 171);
        CHECK(reported_as_undecodable(0) == (may_carry_rows(type) && !is_decoded));
        // The flag does not make a known type harmless.
        CHECK(reported_as_undecodable(event_flag::ignorable) ==
              (is_known(type) && may_carry_rows(type) && !is_decoded));
    }
}

TEST_CASE("compressed events of MariaDB decode to what the plain ones say", "[binlog]") {
    const auto log = load_recorded_log("mariadb1011/compressed");
    event_decoder decoder;
    std::size_t queries = 0;
    std::size_t rows = 0;
    for (const auto bytes : log.events) {
        REQUIRE(decoder.feed(bytes));
        const auto event = decoder.next();
        REQUIRE(event);
        REQUIRE(event->has_value());
        if (uncompressed_type((**event).header.type) == (**event).header.type) continue;
        if (const auto* query = std::get_if<query_event>(&(**event).body)) {
            ++queries;
            CHECK(query->statement.size() > 100);
        }
        if (const auto* changed = std::get_if<rows_event>(&(**event).body)) {
            auto cursor = changed->rows();
            while (true) {
                const auto more = cursor.next();
                REQUIRE(more);
                if (!*more) break;
                ++rows;
            }
        }
    }
    CHECK(queries + rows >= 3);
    CHECK(rows > 0);
}

TEST_CASE("a compressed part that is not what it says is refused", "[binlog]") {
    // 'aaaa' of zlib, with its length before it.
    const auto whole = bytes_of({0x81, 4, 0x78, 0x9c, 0x4b, 0x4c, 0x4c, 0x4c, 0x04, 0x00, 0x03, 0xce, 0x01, 0x85});
    byte_buffer plain;
    REQUIRE(inflate_part(whole, 4, plain));
    CHECK(protocol::as_text(plain) == "aaaa");
    for (std::size_t size = 0; size < whole.size(); ++size) {
        INFO(size);
        CHECK(inflate_part(byte_view(whole).first(size), 1000, plain).has_error());
    }
    const auto changed = [&](std::size_t place, int value) {
        auto bytes = whole;
        bytes[place] = static_cast<std::byte>(value);
        return inflate_part(bytes, 1000, plain).has_error();
    };
    CHECK(changed(0, 0x01));  // not marked as compressed
    CHECK(changed(0, 0x91));  // another algorithm
    CHECK(changed(0, 0x80));  // no length
    CHECK(changed(0, 0x85));  // a length of five bytes
    CHECK(changed(1, 3));
    CHECK(changed(1, 5));
    CHECK(changed(6, 0x00));
    auto longer = whole;
    longer.push_back(std::byte{0});
    CHECK(inflate_part(longer, 1000, plain).has_error());
    const auto refused = inflate_part(whole, 3, plain);
    REQUIRE(refused.has_error());
    CHECK(refused.error().code == decode_errc::too_large);
}

TEST_CASE("rows without a table map, and rows of tables that are not wanted", "[binlog]") {
    event_decoder unknowing;
    const auto rows = make_event(event_type::write_rows_v1, rows_body);
    const auto fed = unknowing.feed(rows);
    REQUIRE(fed.has_error());
    CHECK(fed.error().code == decode_errc::unknown_table);

    event_decoder all;
    CHECK(std::holds_alternative<table_map_event>(
        decode_one(all, make_event(event_type::table_map, table_map_body)).body));
    CHECK(std::holds_alternative<rows_event>(decode_one(all, rows).body));

    decoder_options options;
    options.wants_table = [](std::string_view schema, std::string_view table) {
        return schema == "s" && table == "other";
    };
    event_decoder choosy(std::move(options));
    CHECK(std::holds_alternative<filtered_event>(
        decode_one(choosy, make_event(event_type::table_map, table_map_body)).body));
    CHECK(std::holds_alternative<filtered_event>(decode_one(choosy, rows).body));

    // A rows event that only ends a statement.
    auto only_end = bytes_of({0xFF, 0xFF, 0xFF, 0, 0, 0, 1, 0, 0});
    CHECK(std::holds_alternative<passive_event>(decode_one(make_event(event_type::write_rows_v1, only_end)).body));
}

TEST_CASE("table ids are forgotten when the server has started anew", "[binlog]") {
    auto description = load_recorded_log("mysql97/xa").bytes;
    const auto head = event_header::decode(byte_view(description).subspan(4));
    REQUIRE(head);
    const auto event = byte_view(description).subspan(4, head->event_size);
    const auto decoded = format_description_event::decode(event);
    REQUIRE(decoded);
    CHECK(decoded->checksum == checksum_algorithm::crc32);
    CHECK(decoded->created_s == 0);
    CHECK_FALSE(decoded->is_mariadb());
    CHECK(decoded->post_header_sizes[static_cast<std::size_t>(event_type::table_map)] == 8);
    CHECK(decoded->post_header_sizes[static_cast<std::size_t>(event_type::write_rows)] == 10);

    constexpr std::size_t created_offset = 19 + 2 + 50;
    for (const int created : {0, 1}) {
        byte_buffer changed(event.begin(), event.end());
        changed[created_offset] = static_cast<std::byte>(created);
        const auto restarted =
            shortened(changed, changed.size() - event_header::size - checksum_size, checksum_algorithm::crc32);
        event_decoder decoder;
        REQUIRE(drain(decoder, make_event(event_type::table_map, table_map_body)));
        REQUIRE(drain(decoder, restarted));
        const auto rows = make_event(event_type::write_rows_v1, rows_body);
        const auto summed = shortened(rows, rows.size() - event_header::size, checksum_algorithm::crc32);
        CHECK(decoder.feed(summed).has_error() == (created == 1));
    }
}

TEST_CASE("sizes that do not agree", "[binlog]") {
    event_decoder decoder({.event_size_max = 100});
    auto event = make_event(event_type::xid, bytes_of({1, 0, 0, 0, 0, 0, 0, 0}));
    event.push_back({});
    CHECK(decoder.feed(event).error().code == decode_errc::malformed);
    event.resize(event.size() - 2);
    CHECK(decoder.feed(event).error().code == decode_errc::truncated);
    CHECK(decoder.feed(byte_buffer(101)).error().code == decode_errc::too_large);
    CHECK(decoder.feed({}).error().code == decode_errc::truncated);
    CHECK(event_header::decode(byte_buffer(19)).error().code == decode_errc::malformed);
}

TEST_CASE("incidents, heartbeats and stray ends by hand", "[binlog]") {
    const auto incident = decode_one(make_event(event_type::incident, bytes_of({1, 0, 4, 'l', 'o', 's', 't'})));
    CHECK(std::get<incident_event>(incident.body).number == 1);
    CHECK(std::get<incident_event>(incident.body).message == "lost");
    CHECK(incident_event::decode(bytes_of({1, 0, 5, 'l', 'o', 's', 't'})).has_error());

    const auto old = decode_one(make_event(event_type::heartbeat, bytes_of({'b', '.', '1'}), 0, 1234));
    CHECK(std::get<heartbeat_event>(old.body).position == coordinates{"b.1", 1234});
    const auto body = bytes_of({1, 3, 'b', '.', '1', 2, 9, 0xFE, 1, 0, 0, 0, 1, 0, 0, 0, 9, 2, 7, 7, 0});
    const auto wide = decode_one(make_event(event_type::heartbeat_v2, body));
    CHECK(std::get<heartbeat_event>(wide.body).position == coordinates{"b.1", 0x100000001});
    for (std::size_t size = 0; size < body.size(); ++size) {
        event_decoder decoder;
        CHECK(decoder.feed(make_event(event_type::heartbeat_v2, byte_view(body).first(size))).has_error());
    }
    CHECK(xa_prepare_event::decode(bytes_of({0, 1, 0, 0, 0, 65, 0, 0, 0, 0, 0, 0, 0})).has_error());
    CHECK(query_event::decode(bytes_of({1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 's', 'x', 'S'})).has_error());
    CHECK(query_event::decode(bytes_of({1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0xFF, 0xFF, 's', 0, 'S'})).has_error());
    const auto query = bytes_of({1, 0, 0, 0, 2, 0, 0, 0, 1, 0x27, 4, 1, 0, 9, 's', 0, 'S', '1'});
    const auto failed = query_event::decode(query);
    REQUIRE(failed);
    CHECK(failed->error_code == 1063);
    CHECK(failed->thread_id == 1);
    CHECK(failed->duration_s == 2);
    CHECK(failed->schema == "s");
    CHECK(failed->statement == "S1");
    CHECK(rotate_event::decode(bytes_of({4, 0, 0, 0, 0, 0, 0, 0})).has_error());
}

TEST_CASE("GTID events of the recorded servers", "[binlog]") {
    const auto log = load_recorded_log("mysql97/gtids");
    event_decoder decoder;
    std::vector<gtid_event> events;
    for (const auto& event : decode_all(log, decoder)) {
        if (const auto* found = std::get_if<gtid_event>(&event.body)) events.push_back(*found);
    }
    REQUIRE(events.size() == 7);
    std::int64_t sequence = 0;
    for (const auto& event : events) {
        INFO(event.id.to_string());
        CHECK(event.facts.sequence_number == ++sequence);
        CHECK(event.facts.last_committed < sequence);
        CHECK(event.facts.immediate_commit_us > 1'500'000'000'000'000);
        CHECK(event.facts.original_commit_us == event.facts.immediate_commit_us);
        CHECK(event.facts.immediate_server_version / 100 == 907);
        CHECK(event.facts.original_server_version == event.facts.immediate_server_version);
    }
    // The sizes that they state tell where the next transaction begins.
    std::uint64_t position = 0;
    for (const auto& shown : log.shown) {
        if (shown.type.substr(0, 4) != "Gtid") continue;
        if (position != 0) CHECK(shown.position == position);
        position = shown.position + events.front().facts.transaction_size;
        events.erase(events.begin());
    }
    CHECK(events.empty());
}

TEST_CASE("hostile tagged GTID events", "[binlog]") {
    const auto log = load_recorded_log("mysql97/gtids");
    byte_view tagged;
    for (const auto event : log.events) {
        if (event[4] == static_cast<std::byte>(event_type::gtid_tagged)) tagged = event;
    }
    REQUIRE_FALSE(tagged.empty());
    const auto body = tagged.subspan(event_header::size, tagged.size() - event_header::size - checksum_size);
    REQUIRE(gtid_event::decode_tagged(body));
    for (std::size_t i = 0; i < body.size(); ++i) {
        for (const int value : {0x00, 0x01, 0x7F, 0xFF}) {
            byte_buffer changed(body.begin(), body.end());
            changed[i] = static_cast<std::byte>(value);
            const auto decoded = gtid_event::decode_tagged(changed);
            if (decoded) CHECK((decoded->id.number >= 1 && decoded->id.source.tag.size() <= gtid_tag_size_max));
        }
    }
    byte_buffer newer(body.begin(), body.end());
    newer[0] = std::byte{4};
    CHECK(gtid_event::decode_tagged(newer).error().code == decode_errc::unsupported);
}

TEST_CASE("checksum algorithms by name", "[binlog]") {
    CHECK(*parse_checksum_algorithm("CRC32") == checksum_algorithm::crc32);
    CHECK(*parse_checksum_algorithm("crc32") == checksum_algorithm::crc32);
    CHECK(*parse_checksum_algorithm("NONE") == checksum_algorithm::none);
    CHECK(parse_checksum_algorithm("SHA256").has_error());
    CHECK(parse_checksum_algorithm("").has_error());
}

TEST_CASE("dump streams as the servers send them", "[binlog]") {
    for (const std::string server : {"mysql97", "mysql56", "mariadb1011"}) {
        INFO(server);
        const auto bytes = load_bytes(server + "/dump.stream");
        const auto algorithm = parse_checksum_algorithm(load_table(server + "/dump.checksum").at(0).at(0));
        REQUIRE(algorithm);
        event_decoder decoder({.checksum = *algorithm});
        decoder.begin_at({"before.000001", 4});
        byte_view rest(bytes);
        std::vector<std::string> kinds;
        std::vector<coordinates> heartbeats;
        std::size_t rows = 0;
        while (!rest.empty()) {
            const auto size = std::to_integer<std::size_t>(rest[0]) | std::to_integer<std::size_t>(rest[1]) << 8;
            REQUIRE(rest[4] == std::byte{0});
            const auto decoded = decode_one(decoder, rest.subspan(5, size - 1));
            rest = rest.subspan(4 + size);
            if (kinds.empty()) {
                const auto& rotate = std::get<rotate_event>(decoded.body);
                CHECK(decoded.header.has_flag(event_flag::artificial));
                CHECK(rotate.next == decoder.position());
            }
            kinds.emplace_back(event_type_name(decoded.header.type));
            if (const auto* beat = std::get_if<heartbeat_event>(&decoded.body)) heartbeats.push_back(beat->position);
            if (const auto* written = std::get_if<rows_event>(&decoded.body)) {
                auto cursor = written->rows();
                while (*cursor.next()) ++rows;
            }
        }
        REQUIRE(kinds.size() > 6);
        CHECK(kinds[0] == "Rotate");
        CHECK(kinds[1] == "Format_desc");
        CHECK(rows == 2);
        REQUIRE(heartbeats.size() == 2);
        CHECK(heartbeats[1] == decoder.position());
    }
}

}  // namespace sluice::binlog::test

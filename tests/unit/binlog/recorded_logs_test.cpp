// Every event of every recorded log decodes, and to what the server that wrote it says about it.

#include "tests/unit/binlog/fixture.hpp"

#include "tests/support/catch.hpp"

namespace sluice::binlog::test {

namespace {

/// The event as SHOW BINLOG EVENTS words it, or nothing where the wording does not come from the event alone.
struct wording {
    std::string_view shown;

    bool begins(std::string_view text) const { return shown.substr(0, text.size()) == text; }
    bool ends(std::string_view text) const {
        return shown.size() >= text.size() && shown.substr(shown.size() - text.size()) == text;
    }
    bool contains(std::string_view text) const { return shown.find(text) != std::string_view::npos; }

    bool operator()(const format_description_event& event) const {
        return shown == "Server ver: " + event.server_version + ", Binlog ver: 4";
    }
    bool operator()(const rotate_event& event) const {
        return shown == event.next.file_name + ";pos=" + std::to_string(event.next.position);
    }
    bool operator()(const previous_gtids_event& event) const {
        const auto set = gtid_set::parse(shown);
        return set && *set == event.gtids;
    }
    bool operator()(const gtid_event& event) const {
        return shown == "SET @@SESSION.GTID_NEXT= '" + event.id.to_string() + "'";
    }
    bool operator()(const anonymous_gtid_event&) const { return shown == "SET @@SESSION.GTID_NEXT= 'ANONYMOUS'"; }
    bool operator()(const mariadb_gtid_event& event) const { return contains("GTID " + event.id.to_string()); }
    bool operator()(const query_event& event) const {
        const bool names_schema = begins("use `");
        return contains(event.statement) && event.error_code == 0 &&
               (!names_schema || begins("use `" + std::string(event.schema) + "`; "));
    }
    bool operator()(const table_map_event& event) const {
        const auto& map = *event.table;
        return shown == "table_id: " + std::to_string(map.table_id) + " (" + map.schema + "." + map.table + ")";
    }
    bool operator()(const rows_event& event) const {
        return begins("table_id: " + std::to_string(event.table_id)) && contains("STMT_END_F") == event.ends_statement;
    }
    bool operator()(const xid_event& event) const {
        return shown == "COMMIT /* xid=" + std::to_string(event.xid) + " */";
    }
    bool operator()(const xa_prepare_event& event) const {
        return event.one_phase ? shown == "XA COMMIT " + event.to_string() + " ONE PHASE"
                               : shown == "XA PREPARE " + event.to_string();
    }
    bool operator()(const rows_query_event& event) const { return ends(event.statement) && !event.statement.empty(); }
    bool operator()(const passive_event&) const { return true; }
    bool operator()(const undecodable_event&) const { return false; }
    bool operator()(const heartbeat_event&) const { return false; }
    bool operator()(const incident_event&) const { return false; }
    bool operator()(const filtered_event&) const { return false; }
};

void check_against(const shown_event& shown, const decoded_event& event) {
    INFO(shown.type << " at " << shown.position << ": " << shown.info);
    CHECK(event_type_name(event.header.type) == shown.type);
    CHECK(std::visit(wording{shown.info}, event.body));
}

}  // namespace

TEST_CASE("recorded logs decode to what their servers show", "[binlog]") {
    const auto logs = all_recorded_logs();
    REQUIRE(logs.size() >= 30);
    for (const auto& log : logs) {
        INFO(log.name);
        event_decoder decoder;
        decoder.begin_at({"binlog.000001", 4});
        std::uint64_t position = 4;
        std::size_t line = 0;
        for (const auto bytes : log.events) {
            REQUIRE(line < log.shown.size());
            const auto header = event_header::decode(bytes);
            REQUIRE(header);
            CHECK(log.shown[line].position == position);
            position += bytes.size();
            CHECK(log.shown[line].end_position == position);
            const auto fed = decoder.feed(bytes);
            INFO((fed ? "" : fed.error().what));
            REQUIRE(fed);
            if (header->type == event_type::transaction_payload) {
                CHECK(log.shown[line].type == event_type_name(header->type));
                ++line;
            }
            while (true) {
                auto decoded = decoder.next();
                INFO((decoded ? "" : decoded.error().what));
                REQUIRE(decoded);
                if (!*decoded) break;
                CHECK((**decoded).in_payload == (header->type == event_type::transaction_payload));
                check_against(log.shown.at(line++), **decoded);
            }
            if (header->type == event_type::rotate) {
                CHECK(decoder.position().position == 4);
            } else {
                CHECK(decoder.position() == coordinates{"binlog.000001", position});
            }
        }
        CHECK(line == log.shown.size());
    }
}

TEST_CASE("every checksum of the recorded logs is verified", "[binlog]") {
    for (const auto* name : {"mysql97/images", "mysql56/images", "mariadb1011/images"}) {
        INFO(name);
        const auto log = load_recorded_log(name);
        for (std::size_t changed = 0; changed < log.events.size(); ++changed) {
            event_decoder decoder;
            for (std::size_t i = 0; i < changed; ++i) REQUIRE(drain(decoder, log.events[i]));
            byte_buffer event(log.events[changed].begin(), log.events[changed].end());
            event[event.size() - checksum_size - 1] ^= std::byte{0x10};
            const auto fed = decoder.feed(event);
            REQUIRE(fed.has_error());
            // In a format description the byte changed is the algorithm itself.
            CHECK(fed.error().code == (changed == 0 ? decode_errc::unsupported : decode_errc::checksum_mismatch));
        }
    }
}

TEST_CASE("an event that ends too early is an error, wherever it ends", "[binlog]") {
    for (const auto& log : all_recorded_logs()) {
        INFO(log.name);
        event_decoder whole;
        auto checksum = checksum_algorithm::none;
        for (const auto event : log.events) {
            const auto header = event_header::decode(event);
            REQUIRE(header);
            // Cut off as a packet would be: the header says more than there is.
            for (std::size_t size = 0; size < event.size(); ++size) {
                event_decoder decoder({.checksum = checksum});
                CHECK(decoder.feed(event.first(size)).has_error());
            }
            if (header->type == event_type::format_description) {
                const auto description = format_description_event::decode(event);
                REQUIRE(description);
                checksum = description->checksum;
            }
            REQUIRE(drain(whole, event));
        }
    }
}

namespace {

/// Types that are read to their last byte and have no optional parts.
bool is_of_one_piece(event_type type) {
    return type == event_type::xid || type == event_type::xa_prepare || type == event_type::previous_gtids ||
           type == event_type::transaction_payload;
}

std::size_t row_count(const decoded_event& event) {
    const auto* rows = std::get_if<rows_event>(&event.body);
    if (rows == nullptr) return 0;
    auto cursor = rows->rows();
    std::size_t count = 0;
    while (true) {
        const auto has_row = cursor.next();
        if (!has_row || !*has_row) return count;
        ++count;
    }
}

/// Rows that come out of the event, however it ends; nothing when the event itself is refused.
std::optional<std::size_t> rows_of(event_decoder& decoder, byte_view event, bool& has_failed) {
    has_failed = true;
    if (decoder.feed(event).has_error()) return std::nullopt;
    std::size_t count = 0;
    while (true) {
        const auto decoded = decoder.next();
        if (decoded.has_error()) return count;
        if (!*decoded) break;
        count += row_count(**decoded);
    }
    has_failed = false;
    return count;
}

}  // namespace

TEST_CASE("an event whose body ends too early never passes for the whole one", "[binlog]") {
    std::size_t refused = 0;
    for (const auto& log : all_recorded_logs()) {
        INFO(log.name);
        const auto description = format_description_event::decode(log.events[0]);
        REQUIRE(description);
        const bool is_summed = description->checksum == checksum_algorithm::crc32;
        byte_view last_map;
        for (const auto event : log.events) {
            const auto header = event_header::decode(event);
            REQUIRE(header);
            if (header->type == event_type::table_map) last_map = event;
            const auto body_size = event.size() - event_header::size - (is_summed ? checksum_size : 0);
            const auto decoder_before = [&] {
                event_decoder decoder;
                REQUIRE(drain(decoder, log.events[0]));
                if (!last_map.empty()) REQUIRE(drain(decoder, last_map));
                return decoder;
            };
            bool has_failed = false;
            auto whole = decoder_before();
            const auto whole_rows = rows_of(whole, event, has_failed);
            REQUIRE_FALSE(has_failed);
            for (std::size_t size = 0; size < body_size; ++size) {
                auto decoder = decoder_before();
                const auto rows = rows_of(decoder, shortened(event, size, description->checksum), has_failed);
                refused += has_failed ? 1 : 0;
                INFO(event_type_name(header->type) << " cut to " << size << " of " << body_size << " bytes");
                if (is_of_one_piece(header->type)) CHECK(has_failed);
                if (*whole_rows > 0 && rows) CHECK(*rows < *whole_rows);
            }
        }
    }
    CHECK(refused > 10'000);
}

TEST_CASE("a changed byte never leads outside of the event", "[binlog]") {
    for (const auto& log : all_recorded_logs()) {
        INFO(log.name);
        const auto description = format_description_event::decode(log.events[0]);
        REQUIRE(description);
        const bool is_summed = description->checksum == checksum_algorithm::crc32;
        byte_view last_map;
        for (const auto event : log.events) {
            if (event[4] == static_cast<std::byte>(event_type::table_map)) last_map = event;
            const auto body_size = event.size() - event_header::size - (is_summed ? checksum_size : 0);
            for (std::size_t at = 0; at < body_size; ++at) {
                for (const int flipped : {0x01, 0x80, 0xFF}) {
                    byte_buffer changed(event.begin(), event.end());
                    changed[event_header::size + at] ^= static_cast<std::byte>(flipped);
                    event_decoder decoder;
                    REQUIRE(drain(decoder, log.events[0]));
                    if (!last_map.empty()) REQUIRE(drain(decoder, last_map));
                    bool has_failed = false;
                    const auto rows =
                        rows_of(decoder, shortened(changed, body_size, description->checksum), has_failed);
                    constexpr std::size_t payload_growth_max = 10'000;
                    if (rows) CHECK(*rows <= body_size * payload_growth_max);
                }
            }
        }
    }
}

}  // namespace sluice::binlog::test

// What the binary log may say that a migration cannot follow: each ends it, with a code of its own, rather than being
// passed over.

#include "migration/apply/stream_reader.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/migration/model_tables.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace sluice;
using namespace sluice::migration;

namespace {

using protocol::byte_buffer;

constexpr std::uint8_t both = 0b11, only_a = 0b01, only_b = 0b10;

/// Of table t (a, b), in which rows are found by b, with a migration's events taken by hand.
class scene {
public:
    explicit scene(std::size_t keys_max = 1'000, bool by_gtid = false) {
        plan_.original = {"s", "t"};
        plan_.changelog = {"s", "_t_ghc"};
        plan_.follow_by_gtid = by_gtid;
        plan_.options.delta_keys_max = keys_max;
        const auto a = test::make_column("a", "int");
        const auto b = test::make_column("b", "int");
        plan_.original_description =
            test::make_table({a, b}, {test::make_key("PRIMARY", {"a"}), test::make_key("u", {"b"})});
        plan_.mapping.key.original_index = plan_.mapping.key.ghost_index = "u";
        plan_.mapping.key.columns = {{1, "b", "b"}};
        plan_.mapping.key.original_columns = {b};
        plan_.mapping.key.exactly_ordered = true;
        key_column key;
        key.original = key.ghost = "b";
        plan_.columns.key = {key};
        capture = std::make_unique<change_capture>(plan_, ledger, stream_position{});
        capture->stream_begins();
        const binlog::table_map_column number{{binlog::field_type::long_int, 0, false}, {4, 0}, false, true};
        const binlog::table_map_column id{{binlog::field_type::long_long, 0, true}, {8, 0}, false, true};
        table_->schema = changelog_->schema = "s";
        table_->table = "t";
        table_->columns = {number, number};
        changelog_->table = "_t_ghc";
        changelog_->columns = {id};
    }

    /// Empty, or the code of the failure.
    std::string take(binlog::event_body body) {
        const auto taken = capture->take(binlog::decoded_event{{}, false, std::move(body)}, {"binlog.000001", ++at_});
        return taken ? std::string() : taken.error().code;
    }
    std::string say(std::string_view statement) {
        binlog::query_event query;
        query.schema = "s";
        query.statement = statement;
        return take(query);
    }
    /// One row, with these columns before and after; 0: no such image.
    std::string row(binlog::rows_kind kind, std::uint8_t before, std::uint8_t after) {
        std::vector<std::uint8_t> bytes;
        for (const std::uint8_t present : {before, after}) {
            if (present == 0) continue;
            bytes.push_back(0);  // none of them is NULL
            for (int column = present == both ? 2 : 1; column-- > 0;) bytes.insert(bytes.end(), {++value_, 0, 0, 0});
        }
        return rows(kind, table_, before, after, bytes);
    }
    std::string write_rows(int count) {
        for (int n = 0; n < count; ++n) {
            if (std::string code = row(binlog::rows_kind::write, 0, both); !code.empty()) return code;
        }
        return {};
    }
    std::string marker(std::uint8_t id) {
        return rows(binlog::rows_kind::write, changelog_, 0, only_a, {0, id, 0, 0, 0, 0, 0, 0, 0});
    }
    std::string prepare(const std::string& id) {
        binlog::xa_prepare_event event;
        event.format_id = 1;
        event.global_id = id;
        return take(event);
    }

    work_ledger ledger{{}};
    std::unique_ptr<change_capture> capture;

private:
    std::string rows(binlog::rows_kind kind, const std::shared_ptr<binlog::table_map>& table, std::uint8_t before,
                     std::uint8_t after, const std::vector<std::uint8_t>& bytes) {
        const auto bitmaps = std::to_array({std::byte{before}, std::byte{after}});
        byte_buffer data;
        for (const std::uint8_t byte : bytes) data.push_back(std::byte{byte});
        binlog::rows_event event;
        event.kind = kind;
        event.table = table;
        if (before != 0) event.columns_before = {{&bitmaps[0], 1}, table->columns.size()};
        if (after != 0) event.columns_after = {{&bitmaps[1], 1}, table->columns.size()};
        event.row_data = data;
        return take(event);
    }

    migration_plan plan_;
    std::shared_ptr<binlog::table_map> table_ = std::make_shared<binlog::table_map>();
    std::shared_ptr<binlog::table_map> changelog_ = std::make_shared<binlog::table_map>();
    std::uint64_t at_ = 4;
    std::uint8_t value_ = 0;
};

}  // namespace

TEST_CASE("an image without the key by which rows are found ends the migration") {
    using binlog::rows_kind;
    scene one;
    CHECK(one.say("BEGIN").empty());
    SECTION("what can be followed") {
        CHECK(one.row(rows_kind::write, 0, both).empty());
        CHECK(one.row(rows_kind::update, both, only_a).empty());
        CHECK(one.row(rows_kind::update, only_b, only_a).empty());
        CHECK(one.row(rows_kind::update, only_b, both).empty());
        CHECK(one.row(rows_kind::remove, only_b, 0).empty());
        CHECK(one.ledger.count().deltas_seen == 6);  // that of the last update: before, and after
    }
    SECTION("an update") { CHECK(one.row(rows_kind::update, only_a, only_a) == "key_missing"); }
    SECTION("an update of the key itself") { CHECK(one.row(rows_kind::update, only_a, only_b) == "key_missing"); }
    SECTION("a delete") { CHECK(one.row(rows_kind::remove, only_a, 0) == "key_missing"); }
}

TEST_CASE("XA COMMIT of a transaction whose changes were not seen ends the migration, if it may have had any") {
    const std::string xid = "X'61',X'',1";
    scene one;
    SECTION("none was prepared before") { CHECK(one.say("XA COMMIT " + xid).empty()); }
    SECTION("some may have been") {
        one.capture->expect_unknown_prepared();
        CHECK(one.say("XA ROLLBACK " + xid).empty());
        CHECK(one.say("XA COMMIT " + xid) == "unknown_xa_transaction");
    }
    SECTION("this one was seen") {
        one.capture->expect_unknown_prepared();
        CHECK(one.say("XA START " + xid).empty());
        CHECK(one.write_rows(2).empty());
        CHECK(one.say("XA END " + xid).empty());
        CHECK(one.prepare("a").empty());
        CHECK(one.ledger.count().deltas_seen == 0);
        CHECK(one.say("XA COMMIT " + xid).empty());
        CHECK(one.ledger.count().deltas_seen == 2);
    }
}

TEST_CASE("prepared transactions that would fill the memory for changed keys end the migration") {
    scene one(3);
    CHECK(one.say("XA START X'61',X'',1").empty());
    SECTION("one of them") { CHECK(one.write_rows(4) == "prepared_transactions_too_large"); }
    SECTION("all of them together") {
        CHECK(one.write_rows(2).empty());
        CHECK(one.prepare("a").empty());
        CHECK(one.say("XA START X'62',X'',1").empty());
        CHECK(one.write_rows(2).empty());
        CHECK(one.prepare("b") == "prepared_transactions_too_large");
    }
    SECTION("those that have ended do not count") {
        CHECK(one.write_rows(2).empty());
        CHECK(one.prepare("a").empty());
        CHECK(one.say("XA ROLLBACK X'61',X'',1").empty());
        CHECK(one.say("XA START X'62',X'',1").empty());
        CHECK(one.write_rows(2).empty());
        CHECK(one.prepare("b").empty());
    }
}

TEST_CASE("where visibility is confirmed by GTIDs, a change without one ends the migration") {
    const bool by_gtid = GENERATE(true, false);
    scene one(1'000, by_gtid);
    const auto id = binlog::gtid::parse("3e11fa47-71ca-11e1-9e33-c80aa9429562:7");
    REQUIRE(id);
    CHECK(one.take(binlog::gtid_event{*id, {}}).empty());
    CHECK(one.say("BEGIN").empty());
    CHECK(one.write_rows(1).empty());
    CHECK(one.take(binlog::xid_event{}).empty());
    CHECK(one.take(binlog::anonymous_gtid_event{}).empty());
    CHECK(one.say("BEGIN").empty());
    CHECK(one.write_rows(1) == (by_gtid ? "gtid_missing" : ""));
}

TEST_CASE("a marker from behind the swap, which was not seen, ends the way back") {
    const std::string clause = "`s`.`t` TO `s`.`_t_del`, `s`.`_t_gho` TO `s`.`t`";
    scene one;
    one.capture->expect_swap(clause, 100);
    CHECK(one.say("BEGIN").empty());
    CHECK(one.marker(99).empty());
    CHECK(one.write_rows(1).empty());  // of the table that had the name before
    CHECK(one.ledger.count().deltas_seen == 0);
    SECTION("it does not come") {
        CHECK(one.marker(100).empty());
        CHECK(one.marker(101) == "swap_not_seen");
    }
    SECTION("it comes") {
        CHECK(one.take(binlog::xid_event{}).empty());
        CHECK(one.say("RENAME TABLE " + clause).empty());
        CHECK(one.say("BEGIN").empty());
        CHECK(one.marker(101).empty());
        CHECK(one.write_rows(1).empty());
        CHECK(one.ledger.count().deltas_seen == 1);
    }
}

TEST_CASE("what may hold changes and cannot be read ends the migration") {
    scene one;
    CHECK(one.take(binlog::undecodable_event{"rows of format v0"}) == "binlog_undecodable");
    CHECK(one.take(binlog::incident_event{1, "LOST_EVENTS"}) == "binlog_undecodable");
    auto changed = std::make_shared<binlog::table_map>();
    changed->schema = "s";
    changed->table = "t";
    changed->columns.resize(3);  // one more than the table has
    CHECK(one.take(binlog::table_map_event{changed}) == "original_changed");
}

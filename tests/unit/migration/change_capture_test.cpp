// Where a transaction ends in the binary log, on recorded logs: nothing between its first event and its last one may be
// taken for the end, or a checkpoint and the cut-over would count changes as read that are still to come.

#include "migration/apply/stream_reader.hpp"
#include "tests/support/catch.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

using namespace sluice;
using namespace sluice::migration;

namespace {

protocol::byte_buffer events_of(std::string_view log) {
    constexpr std::size_t magic_size = 4;
    std::ifstream in(std::filesystem::path(SLUICE_FIXTURES) / (std::string(log) + ".binlog"), std::ios::binary);
    REQUIRE(in);
    const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    const auto bytes = protocol::as_bytes(text).subspan(magic_size);
    return {bytes.begin(), bytes.end()};
}

bool begins_with(std::string_view text, std::string_view start) { return text.starts_with(start); }

/// What an event means for the transaction that it stands in, by the event alone.
struct meaning {
    bool begins = false;
    bool ends = false;
    bool is_inner_mark = false;  ///< SAVEPOINT, XA END: looks like a statement of its own
};

meaning meaning_of(const binlog::decoded_event& event) {
    meaning found;
    if (const auto* query = std::get_if<binlog::query_event>(&event.body)) {
        const std::string_view text = query->statement;
        found.begins = text == "BEGIN" || begins_with(text, "XA START");
        found.ends = text == "COMMIT" || text == "ROLLBACK";
        found.is_inner_mark =
            begins_with(text, "SAVEPOINT") || begins_with(text, "ROLLBACK TO") || begins_with(text, "XA END");
    } else if (const auto* gtid = std::get_if<binlog::mariadb_gtid_event>(&event.body)) {
        found.begins = !gtid->has_flag(binlog::mariadb_gtid_flag::standalone);
    }
    found.ends |= std::holds_alternative<binlog::xid_event>(event.body) ||
                  std::holds_alternative<binlog::xa_prepare_event>(event.body);
    return found;
}

}  // namespace

TEST_CASE("savepoints and the end of an XA branch are not the end of a transaction") {
    const std::string_view log = GENERATE(values<std::string_view>(
        {"mysql97/savepoints", "mysql56/savepoints", "mariadb1011/savepoints", "mysql97/xa", "mariadb1011/xa"}));
    INFO(log);
    migration_plan plan;
    plan.original = {"elsewhere", "t"};
    work_ledger ledger({1'000, true, 1'000'000});
    stream_position start;
    start.at = {"binlog.000001", 4};
    ledger.begin_stream(start);
    change_capture capture(plan, ledger, start);
    capture.stream_begins();
    binlog::decoder_options options;
    options.wants_table = [](std::string_view, std::string_view) { return false; };
    binlog::event_decoder decoder(std::move(options));
    decoder.begin_at(start.at);
    const protocol::byte_buffer bytes = events_of(log);

    bool open = false;
    std::size_t marks = 0;
    std::size_t transactions = 0;
    binlog::coordinates before = start.at;
    for (std::size_t at = 0; at < bytes.size();) {
        constexpr std::size_t size_at = 9;  // of the header: the event's size, little-endian
        std::size_t size = 0;
        for (std::size_t i = 4; i-- != 0;) size = size * 256 + std::to_integer<std::size_t>(bytes[at + size_at + i]);
        REQUIRE(decoder.feed(protocol::byte_view(bytes).subspan(at, size)));
        at += size;
        while (true) {
            auto event = decoder.next();
            REQUIRE(event);
            if (!*event) break;
            const meaning means = meaning_of(**event);
            if (!open) before = ledger.count().position.at;
            open |= means.begins;
            marks += means.is_inner_mark ? 1 : 0;
            REQUIRE(capture.take(**event, decoder.position()));
            if (open && means.ends) {
                open = false;
                ++transactions;
                CHECK(ledger.count().position.at == decoder.position());
            } else if (open) {
                CHECK(ledger.count().position.at == before);
            }
        }
    }
    CHECK_FALSE(open);
    CHECK(transactions > 0);
    CHECK(marks > 0);
}

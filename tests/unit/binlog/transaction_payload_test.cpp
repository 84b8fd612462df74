#include "protocol/binlog/transaction_payload.hpp"

#include "tests/support/catch.hpp"
#include "tests/unit/binlog/fixture.hpp"

#include <zstd.h>

namespace sluice::binlog::test {

namespace {

byte_buffer compress(byte_view plain) {
    byte_buffer out(ZSTD_compressBound(plain.size()));
    const auto size = ZSTD_compress(out.data(), out.size(), plain.data(), plain.size(), 3);
    REQUIRE_FALSE(ZSTD_isError(size));
    out.resize(size);
    return out;
}

byte_buffer payload_body(byte_view payload, payload_compression compression) {
    byte_buffer body;
    protocol::writer to(body);
    const auto field = [&to](std::uint8_t type, std::uint64_t value) {
        to.lenenc_int(type);
        to.lenenc_int(protocol::lenenc_int_size(value));
        to.lenenc_int(value);
    };
    field(2, static_cast<std::uint8_t>(compression));
    field(3, 1);
    field(1, payload.size());
    to.u8(0);
    to.bytes(payload);
    return body;
}

byte_buffer xids(std::size_t count, std::size_t padding = 0) {
    byte_buffer all;
    for (std::size_t i = 0; i < count; ++i) {
        byte_buffer body;
        protocol::writer(body).u64(i);
        protocol::writer(body).zeros(padding);
        const auto event = make_event(event_type::xid, body);
        all.insert(all.end(), event.begin(), event.end());
    }
    return all;
}

/// The xids that come out, or the error.
decode_result<std::vector<std::uint64_t>> read_xids(const byte_buffer& body, payload_limits limits = {}) {
    decoder_options options;
    options.payload = limits;
    event_decoder decoder(std::move(options));
    const auto fed = make_event(event_type::transaction_payload, body);
    SLUICE_TRY_VOID(decoder.feed(fed));
    std::vector<std::uint64_t> found;
    while (true) {
        SLUICE_TRY(const auto event, decoder.next());
        if (!event) return found;
        found.push_back(std::get<xid_event>(event->body).xid);
    }
}

}  // namespace

TEST_CASE("payloads give their inner events in order", "[binlog]") {
    for (const std::size_t count : {0, 1, 10'000}) {
        for (const auto compression : {payload_compression::none, payload_compression::zstd}) {
            const auto plain = xids(count);
            const auto body =
                payload_body(compression == payload_compression::zstd ? compress(plain) : plain, compression);
            const auto found = read_xids(body);
            INFO((found ? "" : found.error().what));
            REQUIRE(found);
            REQUIRE(found->size() == count);
            for (std::size_t i = 0; i < count; ++i) REQUIRE((*found)[i] == i);
        }
    }
    // Two compressed frames in a row, the border inside an event.
    const auto plain = xids(3);
    auto both = compress(byte_view(plain).first(40));
    const auto second = compress(byte_view(plain).subspan(40));
    both.insert(both.end(), second.begin(), second.end());
    const auto found = read_xids(payload_body(both, payload_compression::zstd));
    REQUIRE(found);
    CHECK(found->size() == 3);
}

TEST_CASE("payload limits", "[binlog]") {
    struct {
        const char* what;
        byte_buffer plain;
        payload_limits limits;
        bool is_refused;
    } const table[] = {
        {"all inside", xids(10, 1000), {20'000, 2'000, 27}, false},
        {"one event too large", xids(10, 1000), {20'000, 1'000, 27}, true},
        {"together too large", xids(1'000, 1000), {100'000, 2'000, 27}, true},
        {"a bomb", xids(1, 50'000'000), {std::uint64_t{1} << 32, 1'000'000, 27}, true},
    };
    for (const auto& row : table) {
        for (const auto compression : {payload_compression::none, payload_compression::zstd}) {
            INFO(row.what);
            const auto payload = compression == payload_compression::zstd ? compress(row.plain) : row.plain;
            const auto found = read_xids(payload_body(payload, compression), row.limits);
            REQUIRE(found.has_error() == row.is_refused);
            if (row.is_refused) CHECK(found.error().code == decode_errc::too_large);
        }
    }
}

TEST_CASE("damaged payloads are errors", "[binlog]") {
    const auto plain = xids(50, 100);
    const auto compressed = compress(plain);
    for (std::size_t size = 1; size < compressed.size(); ++size) {
        const auto cut = byte_view(compressed).first(size);
        CHECK(read_xids(payload_body(cut, payload_compression::zstd)).has_error());
    }
    for (std::size_t size = 1; size < 130; ++size) {
        const bool is_whole = size == 127;
        const auto cut = byte_view(plain).first(size);
        CHECK(read_xids(payload_body(cut, payload_compression::none)).has_error() != is_whole);
        CHECK(read_xids(payload_body(compress(cut), payload_compression::zstd)).has_error() != is_whole);
    }
    const auto body = payload_body(compressed, payload_compression::zstd);
    for (std::size_t size = 0; size < body.size(); ++size) {
        CHECK(read_xids({body.begin(), body.begin() + static_cast<std::ptrdiff_t>(size)}).has_error());
    }
    auto unknown = body;
    unknown[2] = std::byte{7};
    CHECK(read_xids(unknown).error().code == decode_errc::unsupported);
}

TEST_CASE("what belongs to the stream may not stand in a payload", "[binlog]") {
    const auto rotate = make_event(event_type::rotate, bytes_of({4, 0, 0, 0, 0, 0, 0, 0, 'b', '.', '1'}));
    CHECK(read_xids(payload_body(rotate, payload_compression::none)).has_error());
    const auto nested = make_event(event_type::transaction_payload, payload_body(xids(1), payload_compression::none));
    CHECK(read_xids(payload_body(nested, payload_compression::none)).has_error());
}

TEST_CASE("rows inside recorded payloads", "[binlog]") {
    const auto log = load_recorded_log("mysql97/payload");
    std::size_t inside = 0;
    std::size_t outside = 0;
    for_each_row(log, [&](const decoded_event& event, const rows_event&, const row_cursor&) {
        (event.in_payload ? inside : outside) += 1;
    });
    CHECK(inside == 2 + 1 + 2 + 1 + 2);
    CHECK(outside == 1);
}

}  // namespace sluice::binlog::test

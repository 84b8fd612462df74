#include "protocol/wire/frame.hpp"

#include "tests/unit/wire/wire_support.hpp"

using namespace sluice::protocol;
using namespace sluice::protocol::test;

namespace {

constexpr std::size_t full = frame_payload_size_max;

byte_buffer pattern(std::size_t size) {
    byte_buffer bytes(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>((i * 31 + (i >> 13)) & 0xFF);
    return bytes;
}

// Feeds in pieces and gives back every packet that comes out.
std::vector<byte_buffer> assemble(packet_assembler& assembler, byte_view stream, std::size_t piece) {
    std::vector<byte_buffer> packets;
    while (!stream.empty()) {
        auto part = stream.first(std::min(piece, stream.size()));
        stream = stream.subspan(part.size());
        while (!part.empty()) {
            const auto consumed = assembler.feed(part);
            REQUIRE(consumed.has_value());
            REQUIRE(consumed.value() > 0);
            part = part.subspan(consumed.value());
            if (!assembler.complete()) continue;
            packets.emplace_back(assembler.payload().begin(), assembler.payload().end());
            assembler.clear();
        }
    }
    return packets;
}

}  // namespace

TEST_CASE("frame headers") {
    const auto bytes = from_hex("fbff7f09");
    const auto header = decode_frame_header(byte_view(bytes).first<4>());
    CHECK(header == frame_header{0x7FFFFB, 9});
    CHECK_FALSE(header.continues());
    CHECK(to_hex(encode_frame_header(header)) == "fbff7f09");
    CHECK(frame_header{0xFFFFFF, 0}.continues());
    CHECK_FALSE(frame_header{0xFFFFFE, 0}.continues());
}

TEST_CASE("small packets byte by byte") {
    byte_buffer stream;
    std::uint8_t sequence = 254;
    for (const auto* text : {"abc", "", "x", "defg"}) sequence = append_framed(stream, as_bytes(text), sequence);
    CHECK(to_hex(stream) == packed("030000fe616263000000ff010000007804000001 64656667"));
    CHECK(sequence == 2);

    for (const std::size_t piece : {1, 2, 3, 5, 100}) {
        CAPTURE(piece);
        packet_assembler assembler(4);
        assembler.expect_sequence(254);
        const auto packets = assemble(assembler, stream, piece);
        REQUIRE(packets.size() == 4);
        CHECK(as_text(packets[0]) == "abc");
        CHECK(as_text(packets[1]).empty());
        CHECK(as_text(packets[2]) == "x");
        CHECK(as_text(packets[3]) == "defg");
        CHECK(assembler.idle());
    }
}

TEST_CASE("packets around 16 MiB") {
    struct row {
        std::size_t size;
        std::size_t frames;
        std::size_t last_frame;
    };
    const auto rows = {
        row{full - 1, 1, full - 1},     row{full, 2, 0},     row{full + 1, 2, 1},
        row{2 * full - 1, 2, full - 1}, row{2 * full, 3, 0}, row{2 * full + 1, 3, 1},
    };
    for (const auto& [size, frames, last_frame] : rows) {
        CAPTURE(size);
        const auto payload = pattern(size);
        byte_buffer stream;
        CHECK(append_framed(stream, payload, 255) == static_cast<std::uint8_t>(255 + frames));
        REQUIRE(stream.size() == size + frames * frame_header_size);
        const auto last_header = byte_view(stream).last(last_frame + frame_header_size).first<4>();
        CHECK(decode_frame_header(last_header) ==
              frame_header{static_cast<std::uint32_t>(last_frame), static_cast<std::uint8_t>(255 + frames - 1)});
        append_framed(stream, as_bytes("next"), 0);

        for (const std::size_t piece : {std::size_t{65537}, stream.size()}) {
            packet_assembler assembler(size);
            const auto packets = assemble(assembler, stream, piece);
            REQUIRE(packets.size() == 2);
            CHECK(packets[0] == payload);
            CHECK(as_text(packets[1]) == "next");
        }
        packet_assembler tight(size - 1);
        const auto refused = [&] {
            auto rest = byte_view(stream);
            while (!rest.empty() && !tight.complete()) {
                const auto consumed = tight.feed(rest.first(std::min<std::size_t>(rest.size(), 1U << 20)));
                if (consumed.has_error()) return consumed.error().code == wire_errc::too_large;
                rest = rest.subspan(consumed.value());
            }
            return false;
        }();
        CHECK(refused);
    }
}

TEST_CASE("an oversized packet is refused from its header, before any payload is kept") {
    packet_assembler assembler(1000);
    const auto header = from_hex("e9030000");
    CHECK(assembler.feed(header).error().code == wire_errc::too_large);
    CHECK(assembler.payload().empty());

    packet_assembler exact(1001);
    CHECK(exact.feed(header).value() == 4);
    CHECK_FALSE(exact.complete());
}

TEST_CASE("sequence ids") {
    SECTION("strict: count up and wrap") {
        packet_assembler assembler(10);
        assembler.expect_sequence(255);
        for (const auto* header : {"000000ff", "00000000", "00000001"}) {
            CAPTURE(header);
            REQUIRE(assembler.feed(from_hex(header)).has_value());
            CHECK(assembler.complete());
            assembler.clear();
        }
        CHECK(assembler.last_sequence() == 1);
        CHECK(assembler.feed(from_hex("00000003")).error().code == wire_errc::out_of_sequence);
    }
    SECTION("free between packets, strict inside one") {
        byte_buffer stream;
        append_framed(stream, pattern(full + 1), 7);
        stream[full + frame_header_size + 3] = std::byte{9};
        packet_assembler assembler(2 * full);
        REQUIRE(assembler.feed(from_hex("00000033")).value() == 4);
        assembler.clear();
        CHECK(assembler.feed(stream).error().code == wire_errc::out_of_sequence);
    }
}

TEST_CASE("a complete packet is not overwritten") {
    packet_assembler assembler(10);
    const auto stream = from_hex("0100000061 0100000162");
    CHECK(assembler.feed(stream).value() == 5);
    CHECK(assembler.feed(byte_view(stream).subspan(5)).value() == 0);
    CHECK(as_text(assembler.payload()) == "a");
}

TEST_CASE("clearing in the middle of a packet is a mistake of the caller") {
    packet_assembler assembler(10);
    REQUIRE(assembler.feed(from_hex("0200000061")).has_value());
    CHECK_FALSE(assembler.idle());
    CHECK_THROWS_AS(assembler.clear(), sluice::assertion_failure);
    CHECK_THROWS_AS(assembler.set_payload_size_max(1), sluice::assertion_failure);
}

TEST_CASE("the limit may change between packets") {
    packet_assembler assembler(1);
    REQUIRE(assembler.feed(from_hex("0100000061")).has_value());
    assembler.set_payload_size_max(2);
    assembler.clear();
    CHECK(assembler.feed(from_hex("020000006162")).value() == 6);
    assembler.clear();
    CHECK(assembler.feed(from_hex("0300000061")).error().code == wire_errc::too_large);
}

TEST_CASE("the cursor tells frames, continuations and packet ends without storing payload") {
    byte_buffer stream;
    append_framed(stream, pattern(full), 3);
    append_framed(stream, as_bytes("ok"), 5);

    frame_cursor cursor;
    cursor.expect_sequence(3);
    std::vector<frame_step> ends;
    std::size_t begun = 0;
    byte_buffer payload;
    auto rest = byte_view(stream);
    while (!rest.empty()) {
        const auto step = cursor.next(rest.first(std::min<std::size_t>(rest.size(), 1000003))).value();
        REQUIRE(step.consumed > 0);
        rest = rest.subspan(step.consumed);
        if (!step.has_frame) continue;
        begun += step.begins_frame ? 1 : 0;
        payload.insert(payload.end(), step.payload.begin(), step.payload.end());
        if (step.ends_frame) ends.push_back(step);
    }
    REQUIRE(ends.size() == 3);
    CHECK(begun == 3);
    CHECK(ends[0].header == frame_header{frame_payload_size_max, 3});
    CHECK_FALSE(ends[0].is_continuation);
    CHECK_FALSE(ends[0].ends_packet);
    CHECK(ends[0].payload_offset + ends[0].payload.size() == full);
    CHECK(ends[1].header == frame_header{0, 4});
    CHECK(ends[1].is_continuation);
    CHECK(ends[1].ends_packet);
    CHECK(ends[2].header == frame_header{2, 5});
    CHECK_FALSE(ends[2].is_continuation);
    CHECK(payload.size() == full + 2);
    CHECK(cursor.at_packet_boundary());
}

TEST_CASE("the cursor is at a packet boundary only between packets") {
    frame_cursor cursor;
    const auto stream = from_hex("020000006162");
    CHECK(cursor.at_packet_boundary());
    for (std::size_t i = 0; i < stream.size(); ++i) {
        const auto step = cursor.next(byte_view(stream).subspan(i, 1)).value();
        CHECK(step.consumed == 1);
        CHECK(step.has_frame == (i >= 3));
        CHECK(step.begins_frame == (i == 3));
        CHECK(cursor.at_packet_boundary() == (i + 1 == stream.size()));
    }
}

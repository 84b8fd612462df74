// Frames and packets of one direction: whole and in pieces alike, and what append_framed() writes is read back.

#include "protocol/wire/frame.hpp"
#include "tests/fuzz/fuzz_input.hpp"

#include <string>

namespace sluice::fuzz {
namespace {

struct seen_packets {
    std::vector<byte_buffer> payloads;
    std::vector<std::uint8_t> sequences;
    std::string error;
    bool idle = false;
    bool operator==(const seen_packets&) const = default;
};

seen_packets assemble(const std::vector<byte_view>& pieces, std::size_t size_max,
                      std::optional<std::uint8_t> expected) {
    protocol::packet_assembler assembler(size_max);
    assembler.expect_sequence(expected);
    seen_packets seen;
    for (auto piece : pieces) {
        while (!piece.empty()) {
            const auto fed = assembler.feed(piece);
            if (!fed) {
                seen.error = protocol::wire_errc_name(fed.error().code);
                return seen;
            }
            FUZZ_CHECK(*fed > 0 && *fed <= piece.size());
            piece = piece.subspan(*fed);
            FUZZ_CHECK(assembler.payload().size() <= size_max);
            if (!assembler.complete()) continue;
            seen.payloads.emplace_back(assembler.payload().begin(), assembler.payload().end());
            seen.sequences.push_back(assembler.last_sequence());
            assembler.clear();
        }
    }
    seen.idle = assembler.idle();
    return seen;
}

struct seen_frames {
    std::vector<std::uint64_t> frames;  // size, sequence and marks of each that ended
    std::uint64_t payload_bytes = 0;
    std::string error;
    bool at_boundary = false;
    bool operator==(const seen_frames&) const = default;
};

seen_frames follow(const std::vector<byte_view>& pieces, std::optional<std::uint8_t> expected) {
    protocol::frame_cursor cursor;
    cursor.expect_sequence(expected);
    seen_frames seen;
    for (auto piece : pieces) {
        while (!piece.empty()) {
            const auto step = cursor.next(piece);
            if (!step) {
                seen.error = protocol::wire_errc_name(step.error().code);
                return seen;
            }
            FUZZ_CHECK(step->consumed > 0 && step->consumed <= piece.size());
            FUZZ_CHECK(step->payload.size() <= step->consumed);
            if (step->has_frame) {
                FUZZ_CHECK(step->payload_offset + step->payload.size() <= step->header.payload_size);
                FUZZ_CHECK(step->ends_frame ==
                           (step->payload_offset + step->payload.size() == step->header.payload_size));
            }
            seen.payload_bytes += step->payload.size();
            if (step->ends_frame) {
                seen.frames.push_back(std::uint64_t{step->header.payload_size} << 16U |
                                      std::uint64_t{step->header.sequence} << 8U | (step->is_continuation ? 2U : 0U) |
                                      (step->ends_packet ? 1U : 0U));
            }
            piece = piece.subspan(step->consumed);
        }
    }
    seen.at_boundary = cursor.at_packet_boundary();
    return seen;
}

std::vector<byte_view> all_in_pieces(const std::vector<byte_view>& views, std::uint32_t seed) {
    std::vector<byte_view> pieces;
    for (const auto view : views) {
        // The block that stands for 16 MiB is not worth a million pieces.
        if (view.size() > 100'000) {
            pieces.push_back(view);
            continue;
        }
        const auto cut = cut_into_pieces(view, seed++);
        pieces.insert(pieces.end(), cut.begin(), cut.end());
    }
    return pieces;
}

void run(fuzz_input in) {
    const auto size_max = std::size_t{in.u16()};
    std::optional<std::uint8_t> expected;
    if (in.flag()) expected = in.u8();
    const auto seed = in.u16();
    const auto stream = in.rest();
    const std::vector<byte_view> whole{stream};
    FUZZ_CHECK(assemble(whole, size_max, expected) == assemble(cut_into_pieces(stream, seed), size_max, expected));
    const auto views = with_full_frames(stream);
    FUZZ_CHECK(follow(views, expected) == follow(all_in_pieces(views, seed), expected));

    byte_buffer framed;
    const auto first = static_cast<std::uint8_t>(seed);
    const auto behind = protocol::append_framed(framed, stream, first);
    FUZZ_CHECK(behind == static_cast<std::uint8_t>(first + 1));
    const auto again = assemble(cut_into_pieces(framed, seed), stream.size(), first);
    FUZZ_CHECK(again.payloads.size() == 1 && again.payloads.front() == stream && again.idle);
}

}  // namespace
}  // namespace sluice::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    sluice::fuzz::run({data, size});
    return 0;
}

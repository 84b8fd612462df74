// Compressed frames: hostile ones are refused in the same way whatever the pieces and the room, and never give more
// than they announce; what the encoder makes comes back.

#include "protocol/wire/compressed_frame.hpp"
#include "tests/fuzz/fuzz_input.hpp"

#include <string>

namespace sluice::fuzz {
namespace {

// A few bytes inflate to megabytes; more of them shows nothing new.
constexpr std::size_t plain_size_max = 1U << 20U;

struct seen_frames {
    byte_buffer plain;
    std::string error;
    std::uint64_t frames = 0;
    bool at_boundary = false;
    bool operator==(const seen_frames&) const = default;
};

seen_frames decode(protocol::compression_algorithm algorithm, const std::vector<byte_view>& pieces, std::size_t room) {
    protocol::compressed_frame_decoder decoder(algorithm);
    byte_buffer output(room);
    seen_frames seen;
    const auto step = [&](byte_view input) {
        for (;;) {
            const auto progress = decoder.decode(input, output);
            if (!progress) {
                seen.error = protocol::wire_errc_name(progress.error().code);
                return false;
            }
            FUZZ_CHECK(progress->consumed <= input.size() && progress->produced <= room);
            input = input.subspan(progress->consumed);
            seen.plain.insert(seen.plain.end(), output.begin(),
                              output.begin() + static_cast<std::ptrdiff_t>(progress->produced));
            if (seen.plain.size() > plain_size_max) {
                seen.error = "long";
                return false;
            }
            if (progress->produced == 0 && progress->consumed == 0) break;
        }
        FUZZ_CHECK(input.empty() && !decoder.owes_output());
        return true;
    };
    for (const auto piece : pieces) {
        if (!step(piece)) {
            // What had come out before the error depends on the pieces.
            seen.plain.clear();
            return seen;
        }
    }
    seen.frames = decoder.frames();
    seen.at_boundary = decoder.at_frame_boundary();
    return seen;
}

void read_hostile(protocol::compression_algorithm algorithm, byte_view stream, std::uint16_t seed, std::size_t room) {
    const auto whole = decode(algorithm, {stream}, 1U << 16U);
    const auto pieces = decode(algorithm, cut_into_pieces(stream, seed), room);
    FUZZ_CHECK(whole == pieces);
}

void read_back(protocol::compression_algorithm algorithm, byte_view plain, std::uint16_t seed, std::size_t room) {
    protocol::compressed_frame_encoder encoder(algorithm, seed % 30 - 2);
    encoder.set_next_sequence(static_cast<std::uint8_t>(seed));
    byte_buffer stream;
    const auto parts = cut_into_pieces(plain, seed);
    // Few frames of many pieces: what a frame holds is what is compressed.
    std::size_t begin = 0;
    std::uint64_t frames = 0;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const auto end = static_cast<std::size_t>(parts[i].data() + parts[i].size() - plain.data());
        if (i % 16 != 15 && i + 1 != parts.size()) continue;
        const auto before = stream.size();
        encoder.append(stream, plain.subspan(begin, end - begin));
        FUZZ_CHECK(stream.size() - before <= end - begin + protocol::compressed_header_size);
        begin = end;
        ++frames;
    }
    FUZZ_CHECK(encoder.next_sequence() == static_cast<std::uint8_t>(seed + frames));
    const auto back = decode(algorithm, cut_into_pieces(stream, seed), room);
    FUZZ_CHECK(back.error.empty() && back.plain.size() == plain.size());
    FUZZ_CHECK(std::equal(plain.begin(), plain.end(), back.plain.begin()));
    FUZZ_CHECK(back.frames == frames && back.at_boundary);
}

// Bytes with headers that agree with them, so that short inputs reach what lies behind the header.
void read_framed(protocol::compression_algorithm algorithm, byte_view body, std::uint16_t seed, std::size_t room) {
    const std::size_t plain_size = 1U + seed;
    byte_buffer stream;
    for (const auto size : {body.size(), plain_size}) {
        for (unsigned shift = 0; shift < 24; shift += 8)
            stream.push_back(static_cast<std::byte>(size >> shift & 0xFFU));
        if (stream.size() == 3) stream.push_back(std::byte{0});
    }
    stream.insert(stream.end(), body.begin(), body.end());
    read_hostile(algorithm, stream, seed, room);
}

void run(fuzz_input in) {
    const auto choices = in.u8();
    const auto algorithm =
        (choices & 1U) != 0 ? protocol::compression_algorithm::zstd : protocol::compression_algorithm::zlib;
    const auto seed = in.u16();
    const std::size_t room = 1U + in.u16();
    const auto rest = in.rest();
    switch (choices >> 1U & 3U) {
        case 0: read_back(algorithm, rest, seed, room); break;
        case 1: read_framed(algorithm, rest, seed, room); break;
        default: read_hostile(algorithm, rest, seed, room); break;
    }
}

}  // namespace
}  // namespace sluice::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    sluice::fuzz::run({data, size});
    return 0;
}

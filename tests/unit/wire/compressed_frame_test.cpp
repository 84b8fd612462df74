#include "protocol/wire/compressed_frame.hpp"

#include "tests/unit/wire/wire_support.hpp"

#include <random>

using namespace sluice::protocol;
using namespace sluice::protocol::test;

namespace {

constexpr auto both = {compression_algorithm::zlib, compression_algorithm::zstd};

struct decoded {
    byte_buffer plain;
    std::string error;
    bool at_boundary = false;
};

// Everything that comes out of a stream that arrives in pieces, with so much room at a time.
decoded decode_all(compression_algorithm algorithm, byte_view stream, std::size_t piece, std::size_t room) {
    compressed_frame_decoder decoder(algorithm);
    byte_buffer output(room);
    decoded all;
    byte_view input;
    for (;;) {
        const auto step = decoder.decode(input, output);
        if (!step) {
            all.error = wire_errc_name(step.error().code);
            return all;
        }
        REQUIRE(step->consumed <= input.size());
        REQUIRE(step->produced <= room);
        input = input.subspan(step->consumed);
        all.plain.insert(all.plain.end(), output.begin(), output.begin() + static_cast<std::ptrdiff_t>(step->produced));
        if (step->produced != 0 || step->consumed != 0) continue;
        REQUIRE(input.empty());
        if (stream.empty()) break;
        input = stream.first(std::min(piece, stream.size()));
        stream = stream.subspan(input.size());
    }
    all.at_boundary = decoder.at_frame_boundary();
    return all;
}

byte_buffer compressible(std::size_t size) {
    byte_buffer bytes(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>("a row, much like the next; "[i % 27]);
    return bytes;
}

byte_buffer random_bytes(std::size_t size) {
    std::mt19937 random(7);
    byte_buffer bytes(size);
    for (auto& byte : bytes) byte = static_cast<std::byte>(random() & 0xFF);
    return bytes;
}

byte_buffer framed(compression_algorithm algorithm, byte_view plain, int level = zstd_level_default) {
    byte_buffer stream;
    compressed_frame_encoder(algorithm, level).append(stream, plain);
    return stream;
}

compressed_header header_of(byte_view stream) { return decode_compressed_header(stream.first<7>()); }

void put_u24(byte_buffer& stream, std::size_t at, std::size_t value) {
    for (std::size_t i = 0; i < 3; ++i) stream[at + i] = static_cast<std::byte>((value >> (8 * i)) & 0xFF);
}

}  // namespace

TEST_CASE("compressed frame headers") {
    const auto bytes = from_hex("22000003320100");
    CHECK(decode_compressed_header(byte_view(bytes).first<7>()) == compressed_header{0x22, 3, 0x132});
    CHECK_FALSE(compressed_header{0x22, 3, 0x132}.is_stored());
    CHECK(compressed_header{0x22, 3, 0}.is_stored());
}

TEST_CASE("what a compressed frame holds, by size and content") {
    struct example {
        std::size_t size;
        bool is_random;
        bool is_stored;
    };
    for (const auto algorithm : both) {
        for (const auto& [size, is_random, is_stored] :
             {example{1, false, true}, example{49, false, true}, example{50, false, false}, example{50, true, true},
              example{65'536, true, true}, example{65'536, false, false}, example{0xFFFFFF, false, false}}) {
            CAPTURE(compression_name(algorithm), size, is_random);
            const auto plain = is_random ? random_bytes(size) : compressible(size);
            const auto stream = framed(algorithm, plain);
            const auto header = header_of(stream);
            CHECK(header.is_stored() == is_stored);
            CHECK(header.size == stream.size() - compressed_header_size);
            CHECK(header.plain_size == (is_stored ? 0 : size));
            const auto back = decode_all(algorithm, stream, stream.size(), 65'536);
            CHECK(back.error == "");
            CHECK(back.plain == plain);
            CHECK(back.at_boundary);
        }
    }
}

TEST_CASE("compressed frames come through whatever the cuts and the room") {
    for (const auto algorithm : both) {
        byte_buffer stream;
        byte_buffer plain;
        compressed_frame_encoder encoder(algorithm, 1);
        for (const auto& part : {compressible(300), random_bytes(120), compressible(20), compressible(5'000)}) {
            encoder.append(stream, part);
            plain.insert(plain.end(), part.begin(), part.end());
        }
        for (const std::size_t piece : {1, 2, 3, 6, 7, 8, 64, 1'000'000}) {
            for (const std::size_t room : {1, 2, 49, 1'000, 100'000}) {
                CAPTURE(compression_name(algorithm), piece, room);
                const auto back = decode_all(algorithm, stream, piece, room);
                CHECK(back.error == "");
                CHECK(back.plain == plain);
                CHECK(back.at_boundary);
            }
        }
        for (std::size_t cut = 0; cut < stream.size(); ++cut) {
            CAPTURE(compression_name(algorithm), cut);
            compressed_frame_decoder decoder(algorithm);
            byte_buffer output(10'000);
            const auto first = decoder.decode(byte_view(stream).first(cut), output);
            REQUIRE(first.has_value());
            REQUIRE(first->consumed == cut);
            const auto second =
                decoder.decode(byte_view(stream).subspan(cut), std::span(output).subspan(first->produced));
            REQUIRE(second.has_value());
            output.resize(first->produced + second->produced);
            CHECK(output == plain);
        }
    }
}

TEST_CASE("every zstd level makes frames that can be read") {
    const auto plain = compressible(65'536);
    for (int level = -1; level <= zstd_level_max + 1; ++level) {
        CAPTURE(level);
        const auto stream = framed(compression_algorithm::zstd, plain, level);
        CHECK(stream.size() < 1'000);
        CHECK(decode_all(compression_algorithm::zstd, stream, 100, 1'000).plain == plain);
    }
}

TEST_CASE("sequence ids of compressed frames count, wrap and can be set") {
    compressed_frame_encoder encoder(compression_algorithm::zlib, 0);
    byte_buffer stream;
    for (int i = 0; i < 258; ++i) {
        stream.clear();
        encoder.append(stream, compressible(10));
        CHECK(header_of(stream).sequence == (i & 0xFF));
    }
    encoder.set_next_sequence(17);
    stream.clear();
    encoder.append(stream, compressible(10));
    CHECK(header_of(stream).sequence == 17);
    CHECK(encoder.next_sequence() == 18);
}

TEST_CASE("the decoder stops before a frame that begins anew") {
    byte_buffer stream;
    compressed_frame_encoder encoder(compression_algorithm::zlib, 0);
    encoder.append(stream, as_bytes("first"));
    encoder.append(stream, as_bytes("more"));
    encoder.set_next_sequence(0);
    encoder.append(stream, as_bytes("second"));
    compressed_frame_decoder decoder(compression_algorithm::zlib);
    byte_buffer output(100);
    const auto first = decoder.decode(stream, output);
    REQUIRE(first.has_value());
    CHECK(first->produced == 9);
    CHECK(decoder.last_sequence() == 1);
    CHECK(decoder.frames() == 2);
    const auto second = decoder.decode(byte_view(stream).subspan(first->consumed), output);
    REQUIRE(second.has_value());
    CHECK(to_string(byte_view(output).first(second->produced)) == "second");
    CHECK(decoder.last_sequence() == 0);
    CHECK(decoder.frames() == 3);
}

TEST_CASE("frames without content are passed over") {
    const auto stream = from_hex(
        "0000000000000000000001000000"
        "01000002000000"
        "41");
    const auto back = decode_all(compression_algorithm::zlib, stream, 3, 10);
    CHECK(back.error == "");
    CHECK(to_string(back.plain) == "A");
}

TEST_CASE("compressed frames that lie are errors") {
    for (const auto algorithm : both) {
        const auto plain = compressible(5'000);
        const auto good = framed(algorithm, plain);
        const auto size = good.size() - compressed_header_size;
        struct lie {
            const char* what;
            byte_buffer stream;
        };
        std::vector<lie> lies;
        const auto add = [&](const char* what, auto change) {
            auto stream = good;
            change(stream);
            lies.push_back({what, std::move(stream)});
        };
        add("announces one byte less", [](auto& s) { put_u24(s, 4, 4'999); });
        add("announces one byte more", [](auto& s) { put_u24(s, 4, 5'001); });
        add("announces 16 MiB", [](auto& s) { put_u24(s, 4, 0xFFFFFF); });
        add("announces one byte", [](auto& s) { put_u24(s, 4, 1); });
        add("its stream is cut", [&](auto& s) {
            put_u24(s, 0, size - 1);
            s.pop_back();
        });
        add("its stream is followed by something", [&](auto& s) {
            put_u24(s, 0, size + 1);
            s.push_back(std::byte{0});
        });
        add("is garbage", [](auto& s) { std::fill(s.begin() + 7, s.end(), std::byte{0x5A}); });
        add("is empty", [](auto& s) {
            put_u24(s, 0, 0);
            s.resize(7);
        });
        for (const auto& [what, stream] : lies) {
            for (const std::size_t piece : {std::size_t{1}, stream.size()}) {
                for (const std::size_t room : {1, 4'999, 5'000, 100'000}) {
                    CAPTURE(compression_name(algorithm), what, piece, room);
                    CHECK(decode_all(algorithm, stream, piece, room).error == "malformed");
                }
            }
        }
    }
}

TEST_CASE("a frame of the other algorithm is an error") {
    const auto zlib = framed(compression_algorithm::zlib, compressible(100));
    const auto zstd = framed(compression_algorithm::zstd, compressible(100));
    CHECK(decode_all(compression_algorithm::zstd, zlib, 100, 100).error == "malformed");
    CHECK(decode_all(compression_algorithm::zlib, zstd, 100, 100).error == "malformed");
}

TEST_CASE("a zstd window larger than a frame can need is refused") {
    // A zstd frame by hand: magic number, no content size, the window, one block of a hundred times the same byte.
    auto stream = from_hex("0a000000640000 28b52ffd 00 70 230300 41");
    const auto sixteen_mib = decode_all(compression_algorithm::zstd, stream, 100, 1'000);
    CHECK(sixteen_mib.error == "");
    CHECK(sixteen_mib.plain == byte_buffer(100, std::byte{0x41}));
    for (const int larger : {0x78, 0x80, 0xA8}) {
        CAPTURE(larger);
        stream[12] = static_cast<std::byte>(larger);
        CHECK(decode_all(compression_algorithm::zstd, stream, 100, 1'000).error == "too_large");
    }
}

TEST_CASE("a zstd window is judged alike whether its frame comes whole or in pieces") {
    // As above, but with its content size (300): zstd would decompress it in one pass if it were there as a whole.
    auto stream = from_hex("0c0000002c0100 28b52ffd 40 a0 2c00 630900 41");
    for (const std::size_t piece : {1U, 5U, 100U}) {
        CAPTURE(piece);
        CHECK(decode_all(compression_algorithm::zstd, stream, piece, 1'000).error == "too_large");
    }
    stream[12] = std::byte{0x70};
    for (const std::size_t piece : {1U, 5U, 100U}) {
        CAPTURE(piece);
        CHECK(decode_all(compression_algorithm::zstd, stream, piece, 1'000).plain == byte_buffer(300, std::byte{0x41}));
    }
}

#pragma once

// What every fuzz target stands on: choices and bytes taken off the front of libFuzzer's input, a cutting of bytes into
// pieces, and a check that ends the process so that libFuzzer keeps the input. An assertion of the library itself
// throws, nobody catches it, and that counts as a finding too.

#include "protocol/wire/bytes.hpp"
#include "protocol/wire/frame.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

#define FUZZ_CHECK(condition)                                                         \
    do {                                                                              \
        if (!(condition)) ::sluice::fuzz::fail_check(#condition, __FILE__, __LINE__); \
    } while (false)

namespace sluice::fuzz {

using protocol::byte_buffer;
using protocol::byte_view;

[[noreturn]] inline void fail_check(const char* condition, const char* file, int line) {
    std::fprintf(stderr, "%s:%d: check failed: %s\n", file, line, condition);
    std::abort();
}

/// Gives zeros at its end: any input is a valid script.
class fuzz_input {
public:
    fuzz_input(const std::uint8_t* data, std::size_t size) noexcept
        : rest_(reinterpret_cast<const std::byte*>(data), size) {}

    [[nodiscard]] bool empty() const noexcept { return rest_.empty(); }
    [[nodiscard]] std::uint8_t u8() noexcept {
        if (rest_.empty()) return 0;
        const auto value = std::to_integer<std::uint8_t>(rest_.front());
        rest_ = rest_.subspan(1);
        return value;
    }
    /// Little-endian.
    [[nodiscard]] std::uint16_t u16() noexcept {
        const unsigned low = u8();
        return static_cast<std::uint16_t>(low | static_cast<unsigned>(u8()) << 8U);
    }
    [[nodiscard]] std::uint32_t u32() noexcept {
        const std::uint32_t low = u16();
        return low | static_cast<std::uint32_t>(u16()) << 16U;
    }
    [[nodiscard]] bool flag() noexcept { return (u8() & 1U) != 0; }
    /// At most `count` bytes, in memory of their own, so that a read past their end is seen.
    [[nodiscard]] byte_buffer bytes(std::size_t count) {
        const auto taken = rest_.first(std::min(count, rest_.size()));
        rest_ = rest_.subspan(taken.size());
        byte_buffer copy(taken.begin(), taken.end());
        copy.shrink_to_fit();
        return copy;
    }
    [[nodiscard]] byte_buffer rest() { return bytes(rest_.size()); }

private:
    byte_view rest_;
};

/// Cuts bytes into pieces of 1 byte and more, many of them short. The same seed gives the same pieces.
[[nodiscard]] inline std::vector<byte_view> cut_into_pieces(byte_view bytes, std::uint32_t seed) {
    std::vector<byte_view> pieces;
    while (!bytes.empty()) {
        seed = seed * 1664525U + 1013904223U;
        const std::size_t wanted = seed >> 30U == 0 ? 1 + (seed >> 22U) % 200 : 1 + (seed >> 22U) % 6;
        const auto size = std::min(wanted, bytes.size());
        pieces.push_back(bytes.first(size));
        bytes = bytes.subspan(size);
    }
    return pieces;
}

/// A stream of frames in views. A full frame (0xFFFFFF bytes) gets most of its payload from a block that all share, so
/// that a short input reaches what is done with packets over 16 MiB.
[[nodiscard]] inline std::vector<byte_view> with_full_frames(byte_view stream) {
    static const byte_buffer filler(protocol::frame_payload_size_max, std::byte{0x61});
    constexpr std::size_t own_part = 16;
    std::vector<byte_view> views;
    while (!stream.empty()) {
        if (stream.size() < protocol::frame_header_size) {
            views.push_back(stream);
            break;
        }
        const auto header = protocol::decode_frame_header(stream.first<protocol::frame_header_size>());
        const auto wanted = header.continues() ? own_part : std::size_t{header.payload_size};
        const auto size = std::min(protocol::frame_header_size + wanted, stream.size());
        views.push_back(stream.first(size));
        if (header.continues()) {
            views.push_back(byte_view(filler).first(header.payload_size - (size - protocol::frame_header_size)));
        }
        stream = stream.subspan(size);
    }
    return views;
}

/// Reads every byte of a view, so that one that points into freed memory is seen.
inline void touch(byte_view bytes) noexcept {
    unsigned sum = 0;
    for (const auto byte : bytes) sum += std::to_integer<unsigned>(byte);
    volatile unsigned sink = sum;
    static_cast<void>(sink);
}
inline void touch(std::string_view text) noexcept { touch(protocol::as_bytes(text)); }

}  // namespace sluice::fuzz

#pragma once

// Frames of the compressed protocol: below the packets' own frames, bytes travel in compressed frames of a 3-byte size,
// a sequence id of their own and the 3-byte size of what comes out (0: the bytes are stored as they are). They know
// nothing of packets: one may hold several packets or a part of one. Each holds a zlib stream or a zstd frame of its
// own. Sources: MySQL internals manual, "Compression / Compressed Packet"; WL#12475 (zstd); checked on 9.7, 5.6 and
// MariaDB 10.11. One thread at a time.

#include "protocol/wire/bytes.hpp"
#include "protocol/wire/error.hpp"

#include <array>
#include <memory>

namespace sluice::protocol {

enum class compression_algorithm : std::uint8_t { none, zlib, zstd };

/// As in MySQL's --compression-algorithms, but "none" for "uncompressed".
[[nodiscard]] constexpr const char* compression_name(compression_algorithm algorithm) noexcept {
    switch (algorithm) {
        case compression_algorithm::none: return "none";
        case compression_algorithm::zlib: return "zlib";
        case compression_algorithm::zstd: return "zstd";
    }
    return "unknown";
}

inline constexpr std::size_t compressed_header_size = 7;
inline constexpr std::uint32_t compressed_frame_size_max = 0xFFFFFF;  ///< of either size in a header
inline constexpr int zlib_level_default = 6;
inline constexpr int zstd_level_default = 3;
inline constexpr int zstd_level_max = 22;

struct compressed_header {
    std::uint32_t size = 0;  ///< of the bytes that follow
    std::uint8_t sequence = 0;
    std::uint32_t plain_size = 0;  ///< of what they inflate to; 0: stored

    [[nodiscard]] constexpr bool is_stored() const noexcept { return plain_size == 0; }
    friend bool operator==(const compressed_header&, const compressed_header&) = default;
};

[[nodiscard]] constexpr compressed_header decode_compressed_header(
    std::span<const std::byte, compressed_header_size> bytes) noexcept {
    const auto u24 = [&](std::size_t at) {
        return std::to_integer<std::uint32_t>(bytes[at]) | std::to_integer<std::uint32_t>(bytes[at + 1]) << 8 |
               std::to_integer<std::uint32_t>(bytes[at + 2]) << 16;
    };
    return {u24(0), std::to_integer<std::uint8_t>(bytes[3]), u24(4)};
}

/// Takes the frames of one direction apart. Memory: what zlib or zstd need for their windows (32 KiB, at most 16 MiB),
/// from the first compressed frame on; large windows are given back at the frame's end.
class compressed_frame_decoder {
public:
    /// Not for none: asserted.
    explicit compressed_frame_decoder(compression_algorithm algorithm);
    ~compressed_frame_decoder();
    compressed_frame_decoder(compressed_frame_decoder&&) noexcept;
    compressed_frame_decoder& operator=(compressed_frame_decoder&&) noexcept;

    struct progress {
        std::size_t consumed = 0;  ///< of the input
        std::size_t produced = 0;  ///< at the head of the output
    };

    /// Goes on until the input or the room in the output is used up; and it stops before a frame with sequence id 0
    /// when it has produced something: a new conversation begins there (see last_sequence()).
    /// Errors, after which the stream is unusable: malformed (not what the algorithm makes, or not as many bytes as the
    /// header says), too_large (a zstd window that no MySQL peer needs).
    [[nodiscard]] wire_result<progress> decode(byte_view input, std::span<std::byte> output);

    /// Sequence id of the frame that the last bytes came from.
    [[nodiscard]] std::uint8_t last_sequence() const noexcept { return header_.sequence; }
    /// Number of frames begun.
    [[nodiscard]] std::uint64_t frames() const noexcept { return frames_; }
    /// decode() may produce something without more input.
    [[nodiscard]] bool owes_output() const noexcept {
        return header_filled_ == compressed_header_size || (in_frame_ && owes_output_);
    }
    /// Between frames: a stream may end here.
    [[nodiscard]] bool at_frame_boundary() const noexcept { return !in_frame_ && header_filled_ == 0; }

private:
    struct inflater;

    [[nodiscard]] wire_result<void> begin_frame();
    [[nodiscard]] progress copy_stored(byte_view input, std::span<std::byte> output) noexcept;
    [[nodiscard]] wire_result<progress> inflate_some(byte_view input, std::span<std::byte> output);
    void end_frame();

    compression_algorithm algorithm_;
    std::unique_ptr<inflater> inflater_;
    std::array<std::byte, compressed_header_size> header_bytes_{};
    std::size_t header_filled_ = 0;
    compressed_header header_;
    std::uint64_t frames_ = 0;
    std::uint32_t left_ = 0;        // of the frame's bytes
    std::uint32_t plain_left_ = 0;  // of what they inflate to
    bool in_frame_ = false;
    bool stream_ended_ = false;  // the zlib stream or zstd frame inside is complete
    bool owes_output_ = false;   // it may have more without more input
};

/// Makes the frames of one direction.
class compressed_frame_encoder {
public:
    /// Not for none: asserted. Levels outside 1 .. 22 (zstd) are brought inside; zlib's is always 6.
    compressed_frame_encoder(compression_algorithm algorithm, int zstd_level);
    ~compressed_frame_encoder();
    compressed_frame_encoder(compressed_frame_encoder&&) noexcept;
    compressed_frame_encoder& operator=(compressed_frame_encoder&&) noexcept;

    /// MySQL does not try to compress less than this, in bytes.
    static constexpr std::size_t compressed_plain_size_min = 50;

    /// Appends one frame with all of `plain`: 1 to 0xFFFFFF bytes (asserted). Stored where that is no longer.
    void append(byte_buffer& out, byte_view plain);

    /// Sequence id of the next frame.
    [[nodiscard]] std::uint8_t next_sequence() const noexcept { return next_sequence_; }
    void set_next_sequence(std::uint8_t sequence) noexcept { next_sequence_ = sequence; }

private:
    struct deflater;

    [[nodiscard]] bool append_compressed(byte_buffer& out, byte_view plain);

    compression_algorithm algorithm_;
    int zstd_level_;
    std::unique_ptr<deflater> deflater_;
    std::uint8_t next_sequence_ = 0;
};

}  // namespace sluice::protocol

#pragma once

// Frames: every packet travels as one or more frames of a 3-byte length, a sequence id and up to 0xFFFFFF payload
// bytes. A frame of exactly 0xFFFFFF is followed by a continuation frame, which may be empty; continuation frames are
// not packets. Sequence ids count frames and wrap at 256; a command starts over at 0.
// Source: MySQL internals manual, "Protocol Basics / MySQL Packets".

#include "protocol/wire/bytes.hpp"
#include "protocol/wire/error.hpp"

#include <array>
#include <optional>

namespace sluice::protocol {

inline constexpr std::size_t frame_header_size = 4;
inline constexpr std::uint32_t frame_payload_size_max = 0xFFFFFF;

struct frame_header {
    std::uint32_t payload_size = 0;  ///< 0 .. 0xFFFFFF
    std::uint8_t sequence = 0;

    /// A full frame does not end its packet.
    [[nodiscard]] constexpr bool continues() const noexcept { return payload_size == frame_payload_size_max; }
    friend bool operator==(const frame_header&, const frame_header&) = default;
};

[[nodiscard]] constexpr frame_header decode_frame_header(std::span<const std::byte, frame_header_size> bytes) noexcept {
    return {std::to_integer<std::uint32_t>(bytes[0]) | std::to_integer<std::uint32_t>(bytes[1]) << 8 |
                std::to_integer<std::uint32_t>(bytes[2]) << 16,
            std::to_integer<std::uint8_t>(bytes[3])};
}

[[nodiscard]] constexpr std::array<std::byte, frame_header_size> encode_frame_header(frame_header header) noexcept {
    const auto size = header.payload_size;
    return {static_cast<std::byte>(size & 0xFF), static_cast<std::byte>((size >> 8) & 0xFF),
            static_cast<std::byte>((size >> 16) & 0xFF), static_cast<std::byte>(header.sequence)};
}

/// Appends `payload` as one packet in as many frames as it needs (an empty one after a multiple of 0xFFFFFF).
/// Returns the sequence id after the last frame used.
std::uint8_t append_framed(byte_buffer& out, byte_view payload, std::uint8_t first_sequence);

/// What frame_cursor::next() found at the head of its input.
struct frame_step {
    std::size_t consumed = 0;  ///< bytes of the input that belong to this step, header bytes included
    bool has_frame = false;    ///< false: the header is still incomplete, everything below is unset
    /// True on the first step of a frame. Its payload may still be empty: the first payload byte is there when
    /// payload_offset is 0 and payload is not empty.
    bool begins_frame = false;
    bool is_continuation = false;  ///< this frame continues the packet of the frame before it
    bool ends_frame = false;       ///< the last payload byte of the frame is in this step
    bool ends_packet = false;      ///< ... and the frame is not followed by a continuation
    frame_header header;
    std::uint32_t payload_offset = 0;  ///< where in the frame's payload `payload` begins
    byte_view payload;                 ///< the part of the frame's payload that lies in this input
};

/// Follows the frames of one direction of a byte stream without storing any payload: the relay's view. Headers that
/// are split between reads are put together inside. Not for two directions at once. One thread at a time.
class frame_cursor {
public:
    /// Demands that the next frame carries `sequence` and all later ones count up from it; nothing: the first frame of
    /// every packet may carry any id (pipelined commands restart at 0), only continuation frames must count up.
    void expect_sequence(std::optional<std::uint8_t> sequence) noexcept { expected_ = sequence; }

    /// Looks at the head of `input` and consumes to the end of the current frame or of the input, whichever is first.
    /// A non-empty input is always consumed by at least one byte. Errors: out_of_sequence; the stream is then unusable.
    [[nodiscard]] wire_result<frame_step> next(byte_view input);

    /// True between packets: no header byte read, no continuation due.
    [[nodiscard]] bool at_packet_boundary() const noexcept {
        return header_filled_ == 0 && !in_frame_ && !continuation_due_;
    }

private:
    wire_result<void> begin_frame();

    std::array<std::byte, frame_header_size> header_bytes_{};
    std::size_t header_filled_ = 0;
    frame_header header_;
    std::uint32_t payload_seen_ = 0;
    bool in_frame_ = false;
    bool is_continuation_ = false;
    bool continuation_due_ = false;
    std::uint8_t next_sequence_ = 0;
    std::optional<std::uint8_t> expected_;
};

/// Collects the payload of one packet at a time from a byte stream. Memory: at most the maximum given, and never more
/// than what has arrived (twice, by the vector's growth). One thread at a time.
class packet_assembler {
public:
    /// `payload_size_max`: largest packet that is accepted, in bytes of payload over all its frames.
    explicit packet_assembler(std::size_t payload_size_max) noexcept : payload_size_max_(payload_size_max) {}

    /// As frame_cursor::expect_sequence.
    void expect_sequence(std::optional<std::uint8_t> sequence) noexcept { cursor_.expect_sequence(sequence); }
    /// For the packets to come. Not in the middle of a packet: asserted.
    void set_payload_size_max(std::size_t size) {
        SLUICE_ASSERT(cursor_.at_packet_boundary());
        payload_size_max_ = size;
    }

    /// Consumes input up to the end of the current packet and returns how many bytes that were. Call it again with the
    /// rest after clear(); while a packet is complete it consumes nothing.
    /// Errors: too_large (known from the header, before the payload is stored), out_of_sequence. The assembler is then
    /// unusable: the stream cannot be followed any more.
    [[nodiscard]] wire_result<std::size_t> feed(byte_view input);

    [[nodiscard]] bool complete() const noexcept { return complete_; }
    /// Payload of the complete packet; valid until clear().
    [[nodiscard]] byte_view payload() const noexcept { return payload_; }
    /// Sequence id of the last frame of the complete packet; a reply carries this plus one.
    [[nodiscard]] std::uint8_t last_sequence() const noexcept { return last_sequence_; }
    /// Makes room for the next packet. Large buffers are given back.
    void clear();

    /// True when no byte of a packet is held.
    [[nodiscard]] bool idle() const noexcept { return !complete_ && cursor_.at_packet_boundary(); }

private:
    frame_cursor cursor_;
    byte_buffer payload_;
    std::size_t payload_size_max_;
    std::uint8_t last_sequence_ = 0;
    bool complete_ = false;
};

}  // namespace sluice::protocol

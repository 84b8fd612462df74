#pragma once

// The compressed protocol as a layer of a channel: between the bytes of the session and those of the transport (TLS or
// the socket). It does no I/O: the channel brings what it has read and takes away what is to be written. Bounded: at
// most one frame of 64 KiB waits to be written, and little is read ahead. One thread.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "protocol/wire/compressed_frame.hpp"

namespace sluice::proxy {

class compression {
public:
    /// `read_ahead`: bytes of the transport that were read before it was known that they are compressed ones.
    /// `unsent`: plain bytes that are to be written before the first frame.
    compression(protocol::compression_algorithm algorithm, int zstd_level, protocol::byte_view read_ahead,
                protocol::byte_view unsent);

    /// Plain bytes, as many as are there and fit; 0: more must be received first. An error: the stream is unusable.
    [[nodiscard]] protocol::wire_result<std::size_t> take(std::span<std::byte> into);
    /// Where bytes of the transport go. Only after take() has given nothing; then not empty.
    [[nodiscard]] std::span<std::byte> room() noexcept;
    void received(std::size_t size) noexcept;
    /// take() may give something without received().
    [[nodiscard]] bool has_pending() const noexcept { return may_have_more_; }

    /// What is to be written to the transport; then tell it with sent().
    [[nodiscard]] protocol::byte_view unsent() const noexcept { return protocol::byte_view(frame_).subspan(sent_); }
    void sent(std::size_t size) noexcept;
    /// Makes a frame of plain bytes, as many as it takes. Only while nothing is unsent.
    [[nodiscard]] std::size_t accept(protocol::byte_view plain);

    /// Of the frames: see session::frame_sequence.
    [[nodiscard]] std::uint8_t last_sequence() const noexcept { return decoder_.last_sequence(); }
    [[nodiscard]] std::uint64_t frames_received() const noexcept { return decoder_.frames(); }
    void set_next_sequence(std::uint8_t sequence) noexcept { encoder_.set_next_sequence(sequence); }

    static constexpr std::size_t frame_plain_size_max = 64 * 1024;

private:
    static constexpr std::size_t input_size = 16 * 1024;

    protocol::compressed_frame_decoder decoder_;
    protocol::compressed_frame_encoder encoder_;
    protocol::byte_buffer input_;  // received and not decoded: [begin, end)
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    bool may_have_more_ = false;
    protocol::byte_buffer frame_;
    std::size_t sent_ = 0;
};

}  // namespace sluice::proxy

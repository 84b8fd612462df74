#include "protocol/wire/frame.hpp"

#include <algorithm>

namespace sluice::protocol {

namespace {

// A buffer that grew beyond this for one packet is given back instead of being kept for the next.
constexpr std::size_t kept_capacity_max = 64 * 1024;

}  // namespace

std::uint8_t append_framed(byte_buffer& out, byte_view payload, std::uint8_t first_sequence) {
    auto sequence = first_sequence;
    auto rest = payload;
    out.reserve(out.size() + payload.size() + frame_header_size * (payload.size() / frame_payload_size_max + 1));
    while (true) {
        const auto size = std::min<std::size_t>(rest.size(), frame_payload_size_max);
        const auto header = encode_frame_header({static_cast<std::uint32_t>(size), sequence});
        out.insert(out.end(), header.begin(), header.end());
        out.insert(out.end(), rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(size));
        rest = rest.subspan(size);
        ++sequence;
        if (size < frame_payload_size_max) return sequence;
    }
}

wire_result<frame_step> frame_cursor::next(byte_view input) {
    frame_step step;
    if (!in_frame_) {
        step.consumed = std::min(frame_header_size - header_filled_, input.size());
        std::copy_n(input.begin(), step.consumed, header_bytes_.begin() + static_cast<std::ptrdiff_t>(header_filled_));
        header_filled_ += step.consumed;
        if (header_filled_ < frame_header_size) return step;
        SLUICE_TRY_VOID(begin_frame());
        step.begins_frame = true;
    }
    const auto due = header_.payload_size - payload_seen_;
    const auto taken = std::min<std::size_t>(due, input.size() - step.consumed);
    step.has_frame = true;
    step.is_continuation = is_continuation_;
    step.header = header_;
    step.payload_offset = payload_seen_;
    step.payload = input.subspan(step.consumed, taken);
    step.consumed += taken;
    payload_seen_ += static_cast<std::uint32_t>(taken);
    if (payload_seen_ == header_.payload_size) {
        in_frame_ = false;
        continuation_due_ = header_.continues();
        step.ends_frame = true;
        step.ends_packet = !continuation_due_;
    }
    return step;
}

wire_result<void> frame_cursor::begin_frame() {
    header_ = decode_frame_header(header_bytes_);
    header_filled_ = 0;
    payload_seen_ = 0;
    in_frame_ = true;
    is_continuation_ = continuation_due_;
    if (is_continuation_ ? header_.sequence != next_sequence_ : expected_ && header_.sequence != *expected_) {
        return wire_error{wire_errc::out_of_sequence, "frame does not carry the sequence id that is due"};
    }
    next_sequence_ = static_cast<std::uint8_t>(header_.sequence + 1);
    if (expected_) expected_ = next_sequence_;
    return {};
}

wire_result<std::size_t> packet_assembler::feed(byte_view input) {
    std::size_t consumed = 0;
    while (!complete_ && consumed < input.size()) {
        SLUICE_TRY(const auto step, cursor_.next(input.subspan(consumed)));
        consumed += step.consumed;
        if (!step.has_frame) break;
        if (step.begins_frame && step.header.payload_size > payload_size_max_ - payload_.size()) {
            return wire_error{wire_errc::too_large, "packet is larger than the limit"};
        }
        payload_.insert(payload_.end(), step.payload.begin(), step.payload.end());
        last_sequence_ = step.header.sequence;
        complete_ = step.ends_packet;
    }
    return consumed;
}

void packet_assembler::clear() {
    SLUICE_ASSERT(complete_ || cursor_.at_packet_boundary());
    complete_ = false;
    if (payload_.capacity() > kept_capacity_max) {
        payload_ = byte_buffer();
    } else {
        payload_.clear();
    }
}

}  // namespace sluice::protocol

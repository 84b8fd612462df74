#include "proxy/session/replica_stream.hpp"

#include <algorithm>

namespace sluice::session {

namespace {

// Behind the 0 that every event has in front: a magic number, and whether an acknowledgement is wanted.
constexpr std::byte semi_sync_magic{0xEF};
constexpr std::byte acknowledge{0x01};

}  // namespace

void replica_stream::begin_frame(protocol::frame_header header) noexcept {
    if (!frame_.continues()) head_filled_ = 0;
    frame_ = header;
    payload_left_ = header.payload_size;
}

std::size_t replica_stream::pass(protocol::byte_view bytes) noexcept {
    if (!bytes.empty()) begins_anew_ = false;
    std::size_t at = 0;
    while (at < bytes.size()) {
        if (payload_left_ == 0) {
            header_[header_filled_++] = bytes[at++];
            if (header_filled_ < header_.size()) continue;
            header_filled_ = 0;
            begin_frame(protocol::decode_frame_header(header_));
        } else {
            const auto size = std::min<std::size_t>(payload_left_, bytes.size() - at);
            const auto looked_at = std::min(size, head_.size() - head_filled_);
            std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), looked_at,
                        head_.begin() + static_cast<std::ptrdiff_t>(head_filled_));
            head_filled_ += looked_at;
            payload_left_ -= static_cast<std::uint32_t>(size);
            at += size;
        }
        if (payload_left_ != 0 || frame_.continues() || !wants_acknowledgement()) continue;
        begins_anew_ = true;
        return at;
    }
    return at;
}

// An event of its own bytes could look like one of the others: what the stream is, its first packet tells, a rotation
// at the time 0.
bool replica_stream::wants_acknowledgement() noexcept {
    const bool is_marked = head_filled_ == head_.size() && head_[0] == std::byte{0} && head_[1] == semi_sync_magic;
    if (!semi_synchronous_) semi_synchronous_ = is_marked;
    return *semi_synchronous_ && is_marked && head_[2] == acknowledge;
}

}  // namespace sluice::session

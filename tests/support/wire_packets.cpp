#include "tests/support/wire_packets.hpp"

namespace sluice::test::wire {
namespace {

constexpr std::size_t frame_max = 0xFFFFFF;

}  // namespace

void packet_stream::note(bool from_client, std::string_view bytes) {
    if (!recording_) return;
    if (record_.empty() || record_.back().from_client != from_client) record_.push_back({from_client, {}});
    record_.back().bytes += bytes;
}

std::string packet_stream::take(std::size_t size) {
    if (begin_ == unread_.size()) {
        unread_.clear();
        begin_ = 0;
    }
    while (unread_.size() - begin_ < size) under_.receive(unread_);
    auto taken = unread_.substr(begin_, size);
    begin_ += size;
    note(false, taken);
    return taken;
}

packet packet_stream::receive() {
    packet whole;
    for (bool first = true;; first = false) {
        const auto head = take(4);
        input header(head);
        const auto size = header.integer(3);
        const auto sequence = static_cast<std::uint8_t>(header.integer(1));
        if (first) {
            whole.sequence = sequence;
        } else if (sequence != next_) {
            throw error("the frames of a packet are numbered " + std::to_string(sequence) + " instead of " +
                        std::to_string(next_));
        }
        next_ = static_cast<std::uint8_t>(sequence + 1);
        whole.payload += take(size);
        if (size != frame_max) return whole;
    }
}

bool packet_stream::closed_by_peer() {
    if (begin_ != unread_.size()) return false;
    try {
        under_.receive(unread_);
    } catch (const closed&) {
        return true;
    }
    return false;
}

std::string packet_stream::framed(std::string_view payload, std::uint8_t sequence) {
    std::string frames;
    for (;;) {
        const auto part = payload.substr(0, frame_max);
        payload.remove_prefix(part.size());
        put_int(frames, part.size(), 3);
        put_int(frames, sequence++, 1);
        frames += part;
        if (part.size() != frame_max) return frames;
    }
}

void packet_stream::send(std::string_view payload, std::uint8_t sequence) { send_framed(framed(payload, sequence)); }

void packet_stream::send_framed(std::string_view frames) {
    note(true, frames);
    under_.send(frames);
}

}  // namespace sluice::test::wire

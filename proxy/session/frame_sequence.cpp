#include "proxy/session/frame_sequence.hpp"

#include <algorithm>

namespace sluice::session {

void frame_renumbering::apply(std::span<std::byte> bytes) noexcept {
    constexpr std::size_t sequence_at = 3;
    while (!bytes.empty()) {
        if (payload_left_ != 0) {
            const auto size = std::min<std::size_t>(payload_left_, bytes.size());
            payload_left_ -= static_cast<std::uint32_t>(size);
            bytes = bytes.subspan(size);
            continue;
        }
        if (header_filled_ == sequence_at) bytes.front() = static_cast<std::byte>(next_++);
        header_[header_filled_++] = bytes.front();
        bytes = bytes.subspan(1);
        if (header_filled_ < header_.size()) continue;
        header_filled_ = 0;
        payload_left_ = protocol::decode_frame_header(header_).payload_size;
    }
}

// A server's counter goes on from the last frame that it has read, if it has read one since.
std::optional<std::uint8_t> frame_sequence::next_to_client(received client) noexcept {
    if (client.frames == client_frames_) return std::nullopt;
    client_frames_ = client.frames;
    return static_cast<std::uint8_t>(client.last_sequence + 1);
}

frame_sequence::outgoing frame_sequence::on_client(const turn_marks& marks, std::span<std::byte> forwarded,
                                                   received client, received server) {
    outgoing out;
    if (marks.unknown) {
        if (marks.command_begins) out.to_server = 0;
        return out;
    }
    if (marks.login) {
        out.to_client = next_to_client(client);
        return out;
    }
    if (marks.command_begins) {
        out.to_server = 0;
        to_server_.restart(0);
        command_has_reply_ = marks.has_reply;
        if (marks.has_reply) {
            SLUICE_ASSERT(expected_ - begun_ < starts_.size());
            starts_[expected_++ % starts_.size()] = {};
        }
    }
    if (marks.file_begins) {
        out.to_server = static_cast<std::uint8_t>(server.last_sequence + 1);
        to_server_.restart(to_client_.next());
    }
    to_server_.apply(forwarded);
    // A server may have answered before the command's end.
    if (marks.command_ends && command_has_reply_ && begun_ != expected_) {
        starts_[(expected_ - 1) % starts_.size()] = {to_server_.next(), next_to_client(client)};
    }
    if (marks.file_ends) to_client_.restart(to_server_.next());
    if (marks.file_ends || marks.own_reply) out.to_client = next_to_client(client);
    if (marks.own_command) out.to_server = 0;
    return out;
}

frame_sequence::outgoing frame_sequence::on_server(const turn_marks& marks, std::span<std::byte> forwarded,
                                                   received server) {
    outgoing out;
    if (marks.unknown) return out;
    if (marks.login) {
        out.to_server = static_cast<std::uint8_t>(server.last_sequence + 1);
        return out;
    }
    if (marks.reply_begins && begun_ != expected_) {
        const auto& start = starts_[begun_++ % starts_.size()];
        to_client_.restart(start.packet);
        out.to_client = start.frame;
    }
    if (marks.source_begins_anew) {
        to_client_.restart(1);
        out.to_client = marks.source_begins_anew;
    }
    to_client_.apply(forwarded);
    return out;
}

}  // namespace sluice::session

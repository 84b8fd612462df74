#pragma once

// Sequence ids of a session of which one side or both are compressed.
//
// There are two kinds then. Compressed frames have ids of their own: a client begins every command with 0, whoever
// answers goes on from the last frame that it has read, and a statement's later results go on counting. Packets inside
// compressed frames have ids that nobody looks at and that do not count up: after each flush a server takes them over
// from the compressed frames. A side without compression does look at them. So Sluice gives the packets that it passes
// on the ids that they have without compression, and its compressed frames those of a client or a server in its place.
// Checked on 9.7, 5.6 and MariaDB 10.11.
//
// Commands of which several lie in one compressed frame are passed on in a frame each: a server reads one at a time.
// Pure; one thread.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "protocol/wire/frame.hpp"
#include "proxy/session/expected_reply.hpp"

namespace sluice::session {

/// Which parts of the conversation begin or end in the bytes of a step. A step holds bytes of one part only.
struct turn_marks {
    bool login = false;           ///< packets of a login, made anew by Sluice
    bool command_begins = false;  ///< from the client
    bool command_ends = false;
    bool has_reply = false;    ///< with command_begins
    bool own_reply = false;    ///< the command is Sluice's to answer
    bool own_command = false;  ///< with own_reply: behind it Sluice sends one of its own
    bool file_begins = false;
    bool file_ends = false;
    bool reply_begins = false;  ///< from the server
    bool unknown = false;       ///< not followed: the bytes go on as they are
    /// From the server: a source's ids begin anew here (see replica_stream), those of compressed frames with this one.
    std::optional<std::uint8_t> source_begins_anew{};
};

/// Rewrites the sequence ids of the frames of one direction, whatever the pieces in which it comes.
class frame_renumbering {
public:
    /// Only between packets.
    void restart(std::uint8_t sequence) noexcept { next_ = sequence; }
    void apply(std::span<std::byte> bytes) noexcept;
    [[nodiscard]] std::uint8_t next() const noexcept { return next_; }

private:
    std::array<std::byte, protocol::frame_header_size> header_{};
    std::size_t header_filled_ = 0;
    std::uint32_t payload_left_ = 0;
    std::uint8_t next_ = 0;
};

class frame_sequence {
public:
    /// What has been received from one side; zeros where it is not compressed.
    struct received {
        std::uint8_t last_sequence = 0;
        std::uint64_t frames = 0;
    };
    /// Ids for the next compressed frames; nothing: as they count.
    struct outgoing {
        std::optional<std::uint8_t> to_client;
        std::optional<std::uint8_t> to_server;
    };

    /// To be called for each step, before its bytes are passed on: `forwarded` are those that go to the other side.
    [[nodiscard]] outgoing on_client(const turn_marks& marks, std::span<std::byte> forwarded, received client,
                                     received server);
    [[nodiscard]] outgoing on_server(const turn_marks& marks, std::span<std::byte> forwarded, received server);

private:
    struct reply_start {
        std::uint8_t packet = 1;            // id of its first packet
        std::optional<std::uint8_t> frame;  // of its first compressed frame
    };
    [[nodiscard]] std::optional<std::uint8_t> next_to_client(received client) noexcept;

    frame_renumbering to_server_;
    frame_renumbering to_client_;
    std::array<reply_start, reply_queue::size_max> starts_{};  // of replies that have not begun: [begun_, expected_)
    std::uint64_t begun_ = 0;
    std::uint64_t expected_ = 0;
    std::uint64_t client_frames_ = 0;  // answered or about to be
    bool command_has_reply_ = false;
};

}  // namespace sluice::session

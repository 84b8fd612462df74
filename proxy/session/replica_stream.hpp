#pragma once

// The stream of binlog events to a replica, as far as sequence ids need it. In a semi-synchronous one each packet says
// whether the replica is to acknowledge it. Source and replica both begin their ids anew behind a packet that wants it,
// since what each has sent meanwhile is not known to the other. Sources: MySQL manual, "Semisynchronous Replication";
// MariaDB's, "Semi-Sync Replication" of its client/server protocol; checked on 9.7 and MariaDB 10.11.
//
// Only needed where a side is compressed: elsewhere ids pass as they are. Pure; one thread.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "protocol/wire/bytes.hpp"
#include "protocol/wire/frame.hpp"

namespace sluice::session {

class replica_stream {
public:
    /// `first`: the header of the stream's first packet, of whose payload nothing has been looked at.
    explicit replica_stream(protocol::frame_header first) noexcept { begin_frame(first); }

    /// Looks at the source's next bytes, and returns how many come before its ids begin anew: all of them, mostly.
    [[nodiscard]] std::size_t pass(protocol::byte_view bytes) noexcept;
    /// They do with the next byte.
    [[nodiscard]] bool begins_anew() const noexcept { return begins_anew_; }
    /// The replica is asked for acknowledgements, now and then. Known behind the first packet.
    [[nodiscard]] bool is_semi_synchronous() const noexcept { return semi_synchronous_.value_or(false); }

private:
    void begin_frame(protocol::frame_header header) noexcept;
    [[nodiscard]] bool wants_acknowledgement() noexcept;

    std::array<std::byte, protocol::frame_header_size> header_{};
    std::size_t header_filled_ = 0;
    protocol::frame_header frame_;
    std::uint32_t payload_left_ = 0;
    std::array<std::byte, 3> head_{};  // of the packet
    std::size_t head_filled_ = 0;
    std::optional<bool> semi_synchronous_;
    bool begins_anew_ = false;
};

}  // namespace sluice::session

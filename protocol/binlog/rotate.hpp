#pragma once

// ROTATE_EVENT (4): the stream goes on in another file. The dump thread also makes one up at the start of a stream.

#include "protocol/binlog/coordinates.hpp"

namespace sluice::binlog {

struct rotate_event {
    coordinates next;

    /// `body`: the event without header and checksum; so in all decoders of this folder unless they say otherwise.
    [[nodiscard]] static decode_result<rotate_event> decode(byte_view body);
};

}  // namespace sluice::binlog

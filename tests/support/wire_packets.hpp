#pragma once

// Packets over a transport: framing, sequence ids as they came, and a record of all that passed.

#include "tests/support/wire_transport.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::test::wire {

struct packet {
    std::uint8_t sequence = 0;  ///< of its first frame
    std::string payload;        ///< of all its frames

    [[nodiscard]] int first() const { return payload.empty() ? -1 : static_cast<unsigned char>(payload[0]); }
    [[nodiscard]] bool is_err() const { return first() == 0xFF; }
    friend bool operator==(const packet&, const packet&) = default;
};

/// The bytes (as inside TLS and compression) in their order on the client's side.
struct passage {
    bool from_client = false;
    std::string bytes;
};

class packet_stream {
public:
    explicit packet_stream(transport& under) : under_(under) {}

    /// Throws closed, error; also when the frames of one packet are not numbered one after the other.
    [[nodiscard]] packet receive();
    /// The sequence id that the peer expects after what was received last.
    [[nodiscard]] std::uint8_t next_sequence() const noexcept { return next_; }
    /// True when the peer has closed, with nothing said before.
    [[nodiscard]] bool closed_by_peer();

    void send(std::string_view payload, std::uint8_t sequence);
    /// Ready frames, any number of them.
    void send_framed(std::string_view frames);
    [[nodiscard]] static std::string framed(std::string_view payload, std::uint8_t sequence);

    [[nodiscard]] const std::vector<passage>& record() const noexcept { return record_; }
    void keep_record(bool wanted) noexcept { recording_ = wanted; }

private:
    void note(bool from_client, std::string_view bytes);
    [[nodiscard]] std::string take(std::size_t size);

    transport& under_;
    std::string unread_;
    std::size_t begin_ = 0;
    std::uint8_t next_ = 0;
    bool recording_ = false;
    std::vector<passage> record_;
};

}  // namespace sluice::test::wire

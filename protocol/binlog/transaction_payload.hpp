#pragma once

// TRANSACTION_PAYLOAD_EVENT (40, WL#3549): all events of a transaction after its GTID event, compressed with zstd. The
// inner events have headers but no checksums.

#include "protocol/binlog/event_header.hpp"

#include <memory>
#include <optional>

namespace sluice::binlog {

enum class payload_compression : std::uint8_t { zstd = 0, none = 255 };

struct transaction_payload_event {
    payload_compression compression = payload_compression::none;
    std::uint64_t uncompressed_size = 0;  ///< as the server states it; not trusted
    byte_view payload;

    /// Errors: truncated, malformed, unsupported (another compression).
    [[nodiscard]] static decode_result<transaction_payload_event> decode(byte_view body);
};

struct payload_limits {
    std::uint64_t payload_size_max = std::uint64_t{4} << 30;  ///< bytes of all inner events of one payload together
    std::uint32_t event_size_max = std::uint32_t{1} << 30;    ///< bytes of one inner event
    int window_log_max = 27;  ///< zstd window, log2 bytes: what decompression itself may hold (here 128 MiB)
};

/// Decompresses a payload and yields its inner events one by one; holds one event at a time, in a buffer that grows
/// only with bytes that really came out. The payload's bytes must stay alive. One thread at a time.
class payload_reader {
public:
    explicit payload_reader(payload_limits limits);
    ~payload_reader();
    payload_reader(payload_reader&&) noexcept;
    payload_reader& operator=(payload_reader&&) noexcept;

    /// Starts a payload; what was left of one before is dropped.
    [[nodiscard]] decode_result<void> begin(const transaction_payload_event& event);
    /// The next inner event, header included; nothing after the last one. Valid until the next call.
    /// Errors: malformed (zstd, sizes), truncated (the payload ends within an event), too_large.
    [[nodiscard]] decode_result<std::optional<byte_view>> next();

private:
    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace sluice::binlog

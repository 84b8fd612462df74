#pragma once

// The stream of committed changes: events of the server's binary log in commit order, as raw bytes.

#include "migration/model/failure.hpp"
#include "protocol/binlog/checksum.hpp"
#include "protocol/binlog/coordinates.hpp"
#include "protocol/binlog/gtid_set.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace sluice::migration {

/// Where a stream starts: after every transaction of `executed` (GTID servers), or at `from` (file and position).
struct feed_start {
    std::optional<binlog::gtid_set> executed;
    binlog::coordinates from;
};

/// One attached stream. Blocking; used by one thread at a time, except stop().
class change_feed {
public:
    virtual ~change_feed() = default;

    /// The next raw event (header, body and checksum, without the stream's status byte), valid until the next call;
    /// nullopt when none arrived within `wait`. The server's error (purged log, ...) or a lost stream is a failure:
    /// disposition retry if attaching again from the same place may help, abort if it cannot ("binlog_purged").
    virtual outcome<std::optional<std::span<const std::byte>>> next(std::chrono::milliseconds wait) = 0;

    /// The checksum that this stream's events carry from its first one on: what was agreed with the server (the value
    /// set in @source_binlog_checksum), before the first format description says it again.
    [[nodiscard]] virtual binlog::checksum_algorithm checksum() const noexcept = 0;

    /// Makes a blocked next() return soon. Callable from any thread.
    virtual void stop() noexcept = 0;
};

/// Attaches streams. Thread-safe.
class change_feed_source {
public:
    virtual ~change_feed_source() = default;
    virtual outcome<std::unique_ptr<change_feed>> attach(const feed_start& start) = 0;
};

}  // namespace sluice::migration

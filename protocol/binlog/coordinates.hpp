#pragma once

// Where in a server's binary log something stands, and the end position of events in files over 4 GiB.

#include "protocol/binlog/event_header.hpp"

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::binlog {

/// The number after the last dot of a binary-log file name ("binlog.000123" gives 123); nothing when there is none.
[[nodiscard]] std::optional<std::uint64_t> file_number(std::string_view file_name) noexcept;

/// A file name and a byte position in it. Names are compared by their base ("binlog") and their number, never as text:
/// binlog.1000000 is after binlog.999999. Names with different bases, or without a number, are unordered unless equal.
struct coordinates {
    std::string file_name;
    std::uint64_t position = 0;

    [[nodiscard]] bool empty() const noexcept { return file_name.empty(); }
    /// "binlog.000123:4567"
    [[nodiscard]] std::string to_string() const;

    friend std::partial_ordering operator<=>(const coordinates& left, const coordinates& right) noexcept;
    friend bool operator==(const coordinates& left, const coordinates& right) noexcept {
        return (left <=> right) == std::partial_ordering::equivalent;
    }
};

/// Follows the position of a dump stream. The header's end position has 32 bits and wraps in files over 4 GiB, so the
/// upper half is counted here.
class position_tracker {
public:
    /// Begins at `start`, or at a rotate event's target.
    void reset(coordinates start) { current_ = std::move(start); }
    /// Takes an event of the stream that is part of the file (not an artificial one, not an inner event of a payload).
    void advance(const event_header& header) noexcept;
    /// End of the last event taken.
    [[nodiscard]] const coordinates& current() const noexcept { return current_; }

private:
    coordinates current_;
};

}  // namespace sluice::binlog

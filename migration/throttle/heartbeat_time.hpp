#pragma once

// The moment in a heartbeat's value: RFC 3339 with up to nine digits behind the second, as gh-ost writes it.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::migration {

using wall_time = std::chrono::time_point<std::chrono::system_clock, std::chrono::nanoseconds>;

/// "2026-01-02T03:04:05.000000007Z"
[[nodiscard]] std::string heartbeat_text(wall_time when);

/// Any offset from UTC; nullopt when it is no such time.
[[nodiscard]] std::optional<wall_time> parse_heartbeat(std::string_view text);

}  // namespace sluice::migration

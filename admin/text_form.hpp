#pragma once

// Small text forms that JSON views and result sets share. Pure functions.

#include <chrono>
#include <string>
#include <string_view>

namespace sluice::admin {

/// RFC 3339 in UTC with milliseconds: 2026-03-01T12:00:00.123Z.
[[nodiscard]] std::string to_utc_text(std::chrono::system_clock::time_point time);

/// Valid UTF-8: every byte that is not part of a well-formed sequence becomes U+FFFD. Statements of clients come in any
/// character set and may be cut in the middle of a character; JSON must be UTF-8.
[[nodiscard]] std::string clean_utf8(std::string_view text);

}  // namespace sluice::admin

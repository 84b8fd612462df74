#pragma once

// "Threads_running=25,Threads_connected=500": status variables of the server and the value from which on each counts.

#include "protocol/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::migration {

struct load_threshold {
    std::string variable;  ///< as it was written; the server does not mind the letter case
    std::int64_t limit = 0;
};

using load_thresholds = std::vector<load_threshold>;

/// An empty text is no thresholds. The error says what is wrong, in gh-ost's words.
[[nodiscard]] result<load_thresholds, std::string> parse_load_thresholds(std::string_view text);

/// The same form again, sorted by name as gh-ost shows it.
[[nodiscard]] std::string to_string(const load_thresholds& thresholds);

}  // namespace sluice::migration

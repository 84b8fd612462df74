#pragma once

// Numbers of flags within their ranges.

#include "proxy/main/ghost/flag_values.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace sluice::ghost {

/// What is out of its range is brought into it, as gh-ost does; but what was given is not changed without a note.
class flag_ranges {
public:
    flag_ranges(const flag_values& flags, std::vector<std::string>& notes) : flags_(flags), notes_(notes) {}

    [[nodiscard]] std::int64_t number(const char* name, std::int64_t min, std::int64_t max) const;
    [[nodiscard]] double decimal(const char* name, std::int64_t min, std::int64_t max) const;

private:
    void note(const char* name, std::int64_t min, std::int64_t max, std::int64_t taken) const;

    const flag_values& flags_;
    std::vector<std::string>& notes_;
};

}  // namespace sluice::ghost

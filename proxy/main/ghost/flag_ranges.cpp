#include "proxy/main/ghost/flag_ranges.hpp"

#include <algorithm>
#include <cmath>

namespace sluice::ghost {

std::int64_t flag_ranges::number(const char* name, std::int64_t min, std::int64_t max) const {
    const std::int64_t given = flags_.number(name);
    const std::int64_t taken = std::clamp(given, min, max);
    if (taken != given) note(name, min, max, taken);
    return taken;
}

double flag_ranges::decimal(const char* name, std::int64_t min, std::int64_t max) const {
    const double given = flags_.decimal(name);
    const double taken = std::clamp(given, static_cast<double>(min), static_cast<double>(max));
    if (given < taken || given > taken) note(name, min, max, std::llround(taken));
    return taken;
}

void flag_ranges::note(const char* name, std::int64_t min, std::int64_t max, std::int64_t taken) const {
    notes_.push_back("--" + std::string(name) + "=" + flags_.text(name) + ": it is " + std::to_string(min) + " to " +
                     std::to_string(max) + " here, and so " + std::to_string(taken));
}

}  // namespace sluice::ghost

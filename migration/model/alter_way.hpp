#pragma once

// How a table gets its new shape, and what was tried before that way was taken.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::migration {

enum class alter_way {
    instant,  ///< by the server, ALGORITHM=INSTANT: its data dictionary alone changes
    inplace,  ///< by the server, ALGORITHM=INPLACE (MariaDB: NOCOPY), where that rebuilds nothing and reads no row
    copy,     ///< by the engine: ghost table, copy, cut-over
};

[[nodiscard]] constexpr std::string_view to_string(alter_way way) noexcept {
    switch (way) {
        case alter_way::instant: return "instant";
        case alter_way::inplace: return "inplace";
        case alter_way::copy: break;
    }
    return "copy";
}

[[nodiscard]] constexpr std::optional<alter_way> parse_alter_way(std::string_view text) noexcept {
    for (const alter_way way : {alter_way::instant, alter_way::inplace, alter_way::copy}) {
        if (to_string(way) == text) return way;
    }
    return std::nullopt;
}

/// A way that was tried, or ruled out, before another one was taken.
struct passed_over_way {
    alter_way way = alter_way::instant;
    std::string reason;  ///< the server's words, or why it was not even asked

    bool operator==(const passed_over_way&) const = default;
};

}  // namespace sluice::migration

#include "admin/closest_name.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

namespace sluice::admin {
namespace {

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
        }
    }
    return row[b.size()];
}

// Names come from outside; nobody means a known name by something longer than this.
constexpr std::size_t name_bytes_max = 64;

}  // namespace

std::optional<std::string_view> closest_name(std::string_view name, std::span<const std::string_view> candidates) {
    if (name.empty() || name.size() > name_bytes_max) return std::nullopt;
    std::optional<std::string_view> best;
    std::size_t best_distance = 0;
    for (const std::string_view candidate : candidates) {
        const bool begins = candidate.starts_with(name) || name.starts_with(candidate);
        const std::size_t distance = begins ? 1 : edit_distance(name, candidate);
        if (!begins && distance * 3 > std::max(name.size(), candidate.size())) continue;
        if (!best || distance < best_distance) {
            best = candidate;
            best_distance = distance;
        }
    }
    return best;
}

std::string name_hint(std::string_view name, std::span<const std::string_view> candidates) {
    if (const auto near = closest_name(name, candidates)) return " (did you mean `" + std::string(*near) + "`?)";
    std::string hint = " (known: ";
    for (const std::string_view candidate : candidates) {
        if (candidate.data() != candidates.front().data()) hint += ", ";
        hint += "`" + std::string(candidate) + "`";
    }
    return hint + ")";
}

}  // namespace sluice::admin

#pragma once

// "did you mean …" for names that were mistyped in a request or a configuration.

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sluice::admin {

/// The candidate nearest to `name` by edit distance, if it is near enough to be meant: at most a third of the longer
/// name's length apart, or one begins with the other.
[[nodiscard]] std::optional<std::string_view> closest_name(std::string_view name,
                                                           std::span<const std::string_view> candidates);

/// " (did you mean `x`?)", or " (known: `a`, `b`)" when nothing is near.
[[nodiscard]] std::string name_hint(std::string_view name, std::span<const std::string_view> candidates);

}  // namespace sluice::admin

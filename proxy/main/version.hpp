#pragma once

#include <string_view>

namespace sluice {

/// The version of this program, as CMake's project() has it.
[[nodiscard]] std::string_view version() noexcept;

}  // namespace sluice

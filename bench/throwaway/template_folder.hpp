#pragma once

// Prepared data directories: initialised once per server program, kept in the cache, copied for every server.

#include "bench/throwaway/programs.hpp"

#include <filesystem>

namespace sluice::throwaway {

/// The prepared data directory for this program. Makes it when it is missing; processes that want it at the same time
/// wait for the one that does. Throws server_error.
[[nodiscard]] std::filesystem::path template_folder(const program& server_program);

}  // namespace sluice::throwaway

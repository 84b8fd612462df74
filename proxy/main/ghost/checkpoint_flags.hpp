#pragma once

// The flags about a run that does not begin at the beginning: --checkpoint, --resume, --revert.

#include "proxy/main/ghost/ghost_settings.hpp"

namespace sluice::ghost {

/// Call once the rest of the settings is read. The error is gh-ost's where it refuses the same.
[[nodiscard]] result<void, std::string> read_checkpoint_flags(const flag_values& flags, ghost_settings& settings);

}  // namespace sluice::ghost

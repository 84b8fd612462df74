#pragma once

#include <span>
#include <string>

namespace sluice::ghost {

/// `sluice gh-ost …`: reads the words, does it, and gives the exit code: 0 done, 1 failed, 2 wrong words.
int run_ghost(std::span<const std::string> arguments);

}  // namespace sluice::ghost

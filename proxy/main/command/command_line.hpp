#pragma once

namespace sluice {

/// Reads the command line, does what it says, and gives the exit code (exit_codes.hpp). Never throws.
int run_command_line(int argc, const char* const* argv) noexcept;

}  // namespace sluice

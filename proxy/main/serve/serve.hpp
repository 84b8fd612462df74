#pragma once

// `sluice serve`: puts the rooms together, runs until a signal ends it.

#include "proxy/main/config.hpp"

#include <filesystem>

namespace sluice {

/// Starts everything or, saying why on standard error, nothing: a port in use, a server out of reach and a refused
/// login of the engine end it with exit code 1. Returns the exit code when it has been told to stop. SIGTERM, SIGINT:
/// orderly end (nobody new, statements and transactions may finish); a second one ends it at once. SIGHUP: reads `file`
/// again and takes over what a running Sluice can.
int serve(config settings, const std::filesystem::path& file);

}  // namespace sluice

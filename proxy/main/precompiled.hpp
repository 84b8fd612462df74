#pragma once

// The heavy headers of this room, compiled once.

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <spdlog/spdlog.h>

#include <string>
#include <vector>

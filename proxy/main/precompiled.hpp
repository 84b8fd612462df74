#pragma once

// The heavy headers of this room, compiled once.

#include <spdlog/spdlog.h>
#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include <string>
#include <vector>

#pragma once

// The heavy headers of this room, compiled once.

#include <boost/asio.hpp>
#include <spdlog/spdlog.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

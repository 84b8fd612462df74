#pragma once

// The heavy headers of this room, compiled once.

#include <spdlog/spdlog.h>
#include <boost/asio.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#pragma once

// What every script finds on the server: the schema `oracle` with tables that nobody changes, and accounts.

#include "bench/throwaway/server.hpp"

#include <string>
#include <vector>

namespace sluice::test::oracle {

/// Statements for root, to be run once.
[[nodiscard]] std::vector<std::string> fixture(throwaway::server_kind kind);

}  // namespace sluice::test::oracle
